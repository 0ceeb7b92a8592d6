-- What was booked stays as it was booked, for the owner of the tables too.
create or replace function gateway.tg_keep_books() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    raise exception using
        errcode = 'VG409', constraint = 'books_are_only_added_to',
        message = format('%s of %s: what was booked is neither changed nor deleted', tg_op, tg_table_name),
        hint = 'Post an entry that refers to the one to be corrected.';
end
$$;

comment on function gateway.tg_keep_books() is 'Refuses changes of rows that are written once.';

create or replace trigger ledger_entry_h_is_kept before update or delete on gateway.ledger_entry_h
for each row execute function gateway.tg_keep_books();
create or replace trigger ledger_entry_s_is_kept before update or delete on gateway.ledger_entry_s
for each row execute function gateway.tg_keep_books();
create or replace trigger ledger_posting_s_is_kept before update or delete on gateway.ledger_posting_s
for each row execute function gateway.tg_keep_books();
create or replace trigger invoice_line_s_is_kept before update or delete on gateway.invoice_line_s
for each row execute function gateway.tg_keep_books();
create or replace trigger invoice_h_is_kept before update or delete on gateway.invoice_h
for each row execute function gateway.tg_keep_books();
create or replace trigger month_close_s_is_kept before update or delete on gateway.month_close_s
for each row execute function gateway.tg_keep_books();
