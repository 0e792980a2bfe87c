"""Who reads: whoever came by a read-only link is offered nothing that the link does not open. Class names alone.

The shell finds out who it is and marks itself BY_LINK; assets/theme.css hides the parts that are for the other kind.
"""

BY_LINK = "by-link"  # the shell of a reader who came by a link
OWNERS = "for-owners"  # a part that a link does not open
LINK_READERS = "for-link-readers"  # a part for them alone
