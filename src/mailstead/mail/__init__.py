"""What happens to a message between protocols and stores."""
