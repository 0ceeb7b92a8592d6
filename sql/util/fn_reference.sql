-- Eight base62 signs out of a hash key: public, stands in tokens, says nothing about the name.
create or replace function util.fn_reference(p_hash_key bytea) returns text
language sql immutable parallel safe
begin atomic
    select string_agg(
        substr(
            '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
            (get_byte(p_hash_key, n.i) * 256 + get_byte(p_hash_key, n.i + 1)) % 62 + 1, 1
        ), '' order by n.i
    )
    from generate_series(0, 14, 2) as n (i);
end;

comment on function util.fn_reference(bytea) is
'Public reference of a hub row: eight base62 signs of its hash key.';
