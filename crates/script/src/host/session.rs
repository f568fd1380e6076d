//! `Session` and its kind: what belongs to calls. Scripts that name it get an error that says so.

use super::Kind::Any;
use super::{Function, NEW, optional};
use crate::{HostError, Object};

const DOC: &str = "Belongs to calls: raises an error.";

pub const FUNCTIONS: &[Function] = &[
    Function {
        object: Object::Session,
        name: NEW,
        arguments: &[optional("...", Any)],
        returns: "",
        doc: DOC,
        run: |_, _| Err(HostError::Calls("freeswitch.Session")),
    },
    Function {
        object: Object::IvrMenu,
        name: NEW,
        arguments: &[optional("...", Any)],
        returns: "",
        doc: DOC,
        run: |_, _| Err(HostError::Calls("freeswitch.IVRMenu")),
    },
    Function {
        object: Object::Dtmf,
        name: NEW,
        arguments: &[optional("...", Any)],
        returns: "",
        doc: DOC,
        run: |_, _| Err(HostError::Calls("freeswitch.DTMF")),
    },
];
