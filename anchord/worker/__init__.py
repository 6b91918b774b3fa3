"""A job in, a result out, in a process that may be killed and is not believed."""
