-- One hash diff for every satellite: fixed order, case kept, NULL told apart from an empty text.
create or replace function util.hash_diff(variadic p_values text[]) returns bytea
language sql immutable parallel safe
begin atomic
    select sha256(convert_to(
        string_agg(
            coalesce('=' || replace(replace(v.value, E'\\', E'\\\\'), '|', E'\\|'), '-'), '|' order by v.position
        ), 'UTF8'
    ))
    from unnest(p_values) with ordinality as v (value, position);
end;

comment on function util.hash_diff(text[]) is
'Hash diff of a satellite row: SHA-256 over its descriptive values in a fixed order, NULL told apart from an
empty text.';
