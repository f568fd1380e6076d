//! SIP messages: parse, print, URIs, headers.
