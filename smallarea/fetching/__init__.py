"""Files brought from where catalogs say they are: in part, again, later; never half of one."""
