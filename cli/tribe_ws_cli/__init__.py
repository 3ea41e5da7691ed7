"""The command line of tribe-ws: it parses, calls the library and prints; it decides nothing."""
