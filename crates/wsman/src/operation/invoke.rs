//! Invoke: calls a method of a resource (MS-WSMV 3.1.4.1.32).
//!
//! The action is the method's own; the body holds one element, `METHOD_INPUT` or `METHOD_OUTPUT`, whose schema is the
//! class's. By these endings the two are told apart from other open content.
