-- Which price book was brought in last: a start of the gateway reads it again only when it is another one.
set local role onevault_owner;

create table ops.price_book (
    only_row boolean primary key default true,
    book_version text not null,
    synced_at timestamptz not null default util.current_load_date(),
    constraint there_is_one_row check (only_row)
);

comment on table ops.price_book is 'The public price book as it was brought in last.';
comment on column ops.price_book.book_version is 'What it was read from; another text means that there may be news.';
