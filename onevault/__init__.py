"""The ground floor of the gateway: settings, database, envelope, frames, command line."""
