//! WinRS: remote processes on Windows hosts that mirror tokio::process
