-- Two who insert one name at the same moment: the second waits, and then is told that it is taken.
create or replace function admin.fn_lock_name(variadic p_name text[]) returns void
language sql
begin atomic
    select pg_advisory_xact_lock(hashtextextended(encode(util.hash_key(variadic p_name), 'hex'), 2));
end;

comment on function admin.fn_lock_name(text[]) is 'Keeps a name for this transaction while it is looked up and taken.';
