//! How much configuration is read at most, so that no file can exhaust the process.

/// Octets of one file.
pub const FILE_SIZE: usize = 32 << 20;
/// Octets of all files together, once preprocessed.
pub const TOTAL_SIZE: usize = 128 << 20;
/// Octets of one line, its variables expanded.
pub const LINE_SIZE: usize = 4 << 20;
/// Files inside files, as FreeSWITCH switch_xml.c preprocess.
pub const INCLUDE_DEPTH: usize = 100;
/// Files read for one document, a file included twice counting twice.
pub const INCLUDED_FILES: usize = 20_000;
/// Elements inside elements.
pub const ELEMENT_DEPTH: usize = 200;
/// Elements of one document.
pub const ELEMENTS: usize = 4_000_000;
/// Attributes of one element.
pub const ATTRIBUTES: usize = 1_000;
/// Entities that a document may declare.
pub const ENTITIES: usize = 1_000;
/// Entities inside the values of entities, as FreeSWITCH switch_xml.c.
pub const ENTITY_DEPTH: usize = 20;
/// Entities expanded in one value, as FreeSWITCH switch_xml.c.
pub const ENTITY_COUNT: usize = 10_000;
/// Octets that one value may grow to by entities.
pub const ENTITY_SIZE: usize = 1 << 20;
/// Errors of the XML reader after which it gives up on a document.
pub const XML_ERRORS: usize = 20;
/// Hints of the XML reader kept for one document.
pub const XML_HINTS: usize = 200;
/// Diagnostics kept; errors are kept beyond.
pub const DIAGNOSTICS: usize = 10_000;
