-- One writer at a time for a key of a satellite. Whoever compares a row before he replaces it takes this first and
-- looks in a statement of its own afterwards, so that he sees what the writer before him left.
create or replace function util.fn_lock_satellite(p_satellite regclass, p_key jsonb) returns void
language plpgsql
set search_path = ''
as $$
begin
    perform pg_advisory_xact_lock(hashtextextended(p_satellite::text || p_key::text, 0));
end
$$;

comment on function util.fn_lock_satellite(regclass, jsonb) is
'Keeps every other writer off this key of the satellite until the transaction ends.';
