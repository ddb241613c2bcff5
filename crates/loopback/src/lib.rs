//! A strict WinRM service for 127.0.0.1: tests, demos and other people's test suites
