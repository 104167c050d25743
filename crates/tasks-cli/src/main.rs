//! The program `tasks`.

fn main() {}
