"""Facts of the field as data with dates: procedures, modifiers, places, adjustment and remark codes, payers."""
