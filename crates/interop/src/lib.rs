//! Tests against real SIP clients and the golden cases.
