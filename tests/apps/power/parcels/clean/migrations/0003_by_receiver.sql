CREATE INDEX parcels_by_receiver ON parcels (receiver, sent);
