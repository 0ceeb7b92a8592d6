"""The HTTP front of the gateway: it reads, asks SQL, holds the body, and hands the answer through."""
