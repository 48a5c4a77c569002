"""What was refused or not sent and waits: seen, tried again or put aside by a person."""
