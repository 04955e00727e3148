"""What is attached to a message, told by names and by content, in archives too; never unpacked past what Settings say."""
