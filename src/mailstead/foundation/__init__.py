"""What every floor above stands on: settings, clock, crypto, DNS, network host, TLS, logs, metrics."""
