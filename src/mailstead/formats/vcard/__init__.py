"""vCard 3.0 and 4.0 (RFC 2426, RFC 6350): what a store and queries have to know of a card."""
