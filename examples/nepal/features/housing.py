"""Housing, fuel, water, light, toilets and belongings: shares of households, census 2011.

Trap: units of under 200 people have wild shares.
"""

from smallarea.features import stream, tables

COLUMNS = [
    "cooking_fuel_wood",
    "cooking_fuel_kerosene",
    "cooking_fuel_lpg",
    "cooking_fuel_guitha",
    "cooking_fuel_biogas",
    "cooking_fuel_electricity",
    "drinking_water_source_tap_piped",
    "drinking_water_source_tubewell",
    "drinking_water_source_covered_well",
    "drinking_water_source_uncovered_well",
    "drinking_water_source_spout_water",
    "drinking_water_source_river_stream",
    "household_facility_no_facility",
    "household_facility_at_least_one",
    "household_facility_radio",
    "household_facility_television",
    "household_facility_cable_television",
    "household_facility_computer",
    "household_facility_internet",
    "household_facility_telephone",
    "household_facility_mobile_phone",
    "household_facility_motor",
    "household_facility_motorcycle",
    "household_facility_cycle",
    "household_facility_other_vehicle",
    "household_facility_refrigerator",
    "lighting_fuel_electricity",
    "lighting_fuel_kerosene",
    "lighting_fuel_biogas",
    "lighting_fuel_solar",
    "outer_wall_type_mud_bonded",
    "outer_wall_type_cement_bonded",
    "outer_wall_type_wood_planks",
    "outer_wall_type_bamboo",
    "outer_wall_type_unbacked_brick",
    "roof_type_thatch",
    "roof_type_galv_iron",
    "roof_type_tile_slate",
    "roof_type_rcc",
    "roof_type_wood_planks",
    "roof_type_mud",
    "toilet_type_no_toilet",
    "toilet_type_flush_toilet",
    "toilet_type_ordinary_toilet",
]


@stream(source="housing", unit=dict.fromkeys(COLUMNS, "share of households"))
def housing(housing, areas):
    return tables.align(housing, areas)[COLUMNS]
