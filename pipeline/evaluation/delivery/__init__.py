"""The same series handed on in other ways: what filters, tone and crops do to its registration."""
