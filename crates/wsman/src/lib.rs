//! WS-Management (DSP0226, MS-WSMV): typed SOAP messages and the encrypted multipart framing, without I/O
