"""Files that hold other files: archives and mailboxes."""
