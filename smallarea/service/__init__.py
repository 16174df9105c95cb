"""A read-only service over published tiers: JSON, GeoJSON and the map. Extra `api`.

It reads what `smallarea publish` wrote and nothing else: a run's own folder is never opened.
"""
