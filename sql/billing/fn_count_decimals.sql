create or replace function gateway.fn_count_decimals(p_currency text) returns smallint
language sql immutable parallel safe
return case
    when p_currency in (
        'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF',
        'XPF'
    ) then 0
    when p_currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3
    when p_currency in ('CLF', 'UYW') then 4
    else 2
end;

comment on function gateway.fn_count_decimals(text) is
'Decimals of amounts in a currency, by ISO 4217: none for JPY, three for KWD, two for most.';
