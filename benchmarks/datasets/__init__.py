"""The data of the races: recipes that anyone can draw again, and the public sets; a file each."""
