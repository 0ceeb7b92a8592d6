-- Runs once, as the database is made: gives the services logins of their own, so that no container
-- but migrate and admin holds the owner's password. The first migration finds these roles and gives
-- them their rights.
\getenv app_password ONEVAULT_APP_PASSWORD
\getenv worker_password ONEVAULT_WORKER_PASSWORD
create role onevault_app login noinherit password :'app_password';
create role onevault_worker login noinherit password :'worker_password';
