-- Whether a token with a list may be used from here. An address that is not known or cannot be read is on no list; an
-- IPv4 address written in IPv6 counts as what it is.
create or replace function gateway.fn_is_allowed_address(p_address text, p_allowed cidr[]) returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
    v_address inet;
begin
    if p_allowed is null then
        return true;
    elsif pg_input_is_valid(p_address, 'inet') is not true then
        return false;
    end if;
    v_address := host(p_address::inet)::inet;
    if v_address <<= inet '::ffff:0:0/96' then
        v_address := inet '0.0.0.0' + (v_address - inet '::ffff:0:0');
    end if;
    return v_address <<= any(p_allowed);
end
$$;

comment on function gateway.fn_is_allowed_address(text, cidr[]) is
'True when an address is in one of these networks, or when there is no list.';
