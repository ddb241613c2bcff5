//! Delete: closes a shell (WS-Transfer Delete, DSP0226 section 7.5; MS-WSMV 3.1.4.4). Both bodies are empty.
