"""Second methods that the tests compare with."""
