//! One authenticated, encrypted SOAP exchange with a WinRM service over HTTP
