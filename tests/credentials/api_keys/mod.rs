//! API keys.

mod stage;

mod answers;
mod cases;
mod floods;
mod secrets;
mod starts;
