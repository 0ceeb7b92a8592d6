-- What stands on invoices, as people write it, to what is printed: lines without blanks around, codes in upper case.
create or replace function admin.fn_clean_lines(p_lines text[]) returns text[]
language plpgsql
immutable
set search_path = ''
as $$
begin
    perform admin.fn_check_length(p_lines, 20, 'lines');
    if exists (select from unnest(p_lines) as u (line) where length(u.line) > 200 or btrim(u.line) ~ '[[:cntrl:]]') then
        perform admin.fn_refuse_change(
            400, 'lines_are_short_and_printable', 'A line is too long or cannot be printed',
            'Use at most 200 characters in a line, and an element of the list for each line.'
        );
    end if;
    return array(
        select btrim(u.line)
        from unnest(p_lines) with ordinality as u (line, place)
        where btrim(u.line) <> '' order by u.place
    );
end
$$;

comment on function admin.fn_clean_lines(text[]) is 'Lines of an address, or of how to pay, without empty ones.';

create or replace function admin.fn_clean_text(p_column text, p_text text) returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
    if btrim(p_text) ~ '[[:cntrl:]]' then
        perform admin.fn_refuse_change(
            400, p_column || '_is_printable', format('%s cannot be printed', p_column), 'Write it on one line.'
        );
    end if;
    return nullif(btrim(p_text), '');
end
$$;

comment on function admin.fn_clean_text(text, text) is
'A text of one line without blanks around; NULL for an empty one.';

create or replace function admin.fn_clean_email(p_email text) returns text
language plpgsql
immutable
set search_path = ''
as $$
begin
    if btrim(p_email) <> '' and btrim(p_email) !~ '^[^@[:space:]]+@[^@[:space:]]+$' then
        perform admin.fn_refuse_change(
            400, 'email_is_an_address', format('%s is no address', quote_literal(p_email)),
            'Write it like billing@example.com, or NULL.'
        );
    end if;
    return nullif(btrim(p_email), '');
end
$$;

comment on function admin.fn_clean_email(text) is 'An e-mail address; refuses what cannot be one. NULL stays NULL.';

-- A code with no rate cannot be billed in. Better told to whoever writes it than to whoever closes the month.
create or replace function admin.fn_clean_currency(p_currency text) returns text
language plpgsql
stable
set search_path = ''
as $$
declare
    v_code text := upper(btrim(p_currency));
begin
    if v_code !~ '^[A-Z]{3}$' then
        perform admin.fn_refuse_change(
            400, 'currency_is_a_code', 'This is no currency', 'Use a code of ISO 4217 like EUR.'
        );
    elsif v_code <> 'USD' and not exists (
        select from gateway.exchange_rate_s as s
        where s.currency_hk = util.hash_key(v_code) and s.load_end_date is null
    ) then
        perform admin.fn_refuse_change(
            409, 'currency_has_a_rate', format('There is no rate for %s', v_code),
            format('insert into admin.exchange_rate (currency, units_per_usd) values (%L, …);', v_code)
        );
    end if;
    return v_code;
end
$$;

comment on function admin.fn_clean_currency(text) is
'A currency in upper case; refuses one without any rate. NULL stays NULL.';
