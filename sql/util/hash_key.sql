-- One hash for every hub and link. Joined injectively: a delimiter or backslash inside a key is escaped.
create or replace function util.hash_key(variadic p_parts text[]) returns bytea
language sql immutable parallel safe
begin atomic
    select sha256(convert_to(
        string_agg(
            replace(replace(upper(btrim(p.part)), E'\\', E'\\\\'), '|', E'\\|'), '|' order by p.position
        ), 'UTF8'
    ))
    from unnest(p_parts) with ordinality as p (part, position);
end;

comment on function util.hash_key(text[]) is
'Hash key of a hub or link: SHA-256 over trimmed, upper-cased business keys joined by | (escaped inside a key).';
