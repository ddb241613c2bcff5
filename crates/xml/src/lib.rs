//! xml-rs with bounds: a reader that refuses what can hurt, a writer that refuses what is not XML 1.0
