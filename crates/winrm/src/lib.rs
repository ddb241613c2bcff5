//! Run commands on Windows hosts over WinRM, authenticated by NTLM and sealed, from any platform
