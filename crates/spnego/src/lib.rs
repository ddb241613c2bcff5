//! SPNEGO (RFC 4178, MS-SPNG): tokens and negotiation over any mechanism, without I/O
