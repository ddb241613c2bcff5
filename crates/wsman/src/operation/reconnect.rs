//! Reconnect: the same client attaches again (MS-WSMV 3.1.4.16). Both bodies are empty.
