"""What is said of a mistake on the command line; loaded only once something has gone wrong.

The rule: name the very thing that was meant, in the form to type; where nothing near exists, offer no guess. What may
be typed is read from the commands themselves, so that an option or step that is there is never said not to be.
"""
