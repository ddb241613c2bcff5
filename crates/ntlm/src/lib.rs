//! NTLM (MS-NLMP): the three messages, responses, keys, signing and sealing; client and server, without I/O
