"""What goes unreported: the prior of tau, what casework says of it, and stated scenarios."""
