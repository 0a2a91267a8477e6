//! Where a line is: `tcp://host:port?in_flight=4`. Text to address and back; opens nothing.
