// Abbreviations of zones with the meanings of PostgreSQL's default set: most are one offset, some follow the history of
// a zone, since what they say has changed.

#include "sql/datetime.hpp"

#include <algorithm>

namespace northstar::inline v0::sql {

namespace abbreviation_file {

/// What an abbreviation means in a zone: the offset that holds under this name, or held last, or will hold first; where
/// the zone has no such name, what holds there.
class AbbreviatedZone final : public TimeZone {
public:
    AbbreviatedZone(std::string name, std::shared_ptr<const TimeZone> zone)
        : name_(std::move(name)), zone_(std::move(zone)) {}
    std::string name() const override { return name_; }
    Offset at(std::int64_t timestamp) const override {
        const std::optional<Offset> found = zone_->meaning_of(name_, timestamp);
        return found ? *found : zone_->at(timestamp);
    }
    std::int32_t offset_of_local(std::int64_t local) const override {
        const std::int32_t there = zone_->offset_of_local(local);
        const std::optional<Offset> found = zone_->meaning_of(name_, local - there * k_microseconds_per_second);
        return found ? found->seconds_east : there;
    }

private:
    std::string name_;
    std::shared_ptr<const TimeZone> zone_;
};

constexpr ZoneAbbreviation k_abbreviations[] = {
    {"acdt", 630, true}, {"acsst", 630, true}, {"acst", 570, false}, {"act", -300, false}, {"acwst", 525, false},
    {"adt", -180, true}, {"aedt", 660, true}, {"aesst", 660, true}, {"aest", 600, false}, {"aft", 270, false},
    {"akdt", -480, true}, {"akst", -540, false}, {"almst", 420, true}, {"almt", 360, false}, {"amt", -240, false},
    {"ast", -240, false}, {"awsst", 540, true}, {"awst", 480, false}, {"azost", 0, true}, {"azot", -60, false},
    {"bdst", 120, true}, {"bdt", 360, false}, {"bnt", 480, false}, {"bort", 480, false}, {"bot", -240, false},
    {"bra", -180, false}, {"brst", -120, true}, {"brt", -180, false}, {"bst", 60, true}, {"btt", 360, false},
    {"cadt", 630, true}, {"cast", 570, false}, {"cct", 480, false}, {"cdt", -300, true}, {"cest", 120, true},
    {"cet", 60, false}, {"cetdst", 120, true}, {"chadt", 825, true}, {"chast", 765, false}, {"chut", 600, false},
    {"clst", -180, true}, {"cot", -300, false}, {"cst", -360, false}, {"cxt", 420, false}, {"ddut", 600, false},
    {"eat", 180, false}, {"edt", -240, true}, {"eest", 180, true}, {"eet", 120, false}, {"eetdst", 180, true},
    {"egst", 0, true}, {"egt", -60, false}, {"est", -300, false}, {"fet", 180, false}, {"fjst", 780, true},
    {"fjt", 720, false}, {"fnst", -60, true}, {"fnt", -120, false}, {"galt", -360, false}, {"gamt", -540, false},
    {"gft", -180, false}, {"gilt", 720, false}, {"gmt", 0, false}, {"hkt", 480, false}, {"hst", -600, false},
    {"ict", 420, false}, {"idt", 180, true}, {"irt", 210, false}, {"ist", 120, false}, {"jayt", 540, false},
    {"jst", 540, false}, {"kdt", 600, true}, {"kgst", 360, true}, {"kst", 540, false}, {"lhst", 630, false},
    {"ligt", 600, false}, {"mart", -570, false}, {"mdt", -360, true}, {"mest", 120, true}, {"mesz", 120, true},
    {"met", 60, false}, {"metdst", 120, true}, {"mez", 60, false}, {"mht", 720, false}, {"mmt", 390, false},
    {"mpt", 600, false}, {"msd", 240, true}, {"mst", -420, false}, {"must", 300, true}, {"mut", 240, false},
    {"mvt", 300, false}, {"myt", 480, false}, {"ndt", -150, true}, {"nft", -210, false}, {"npt", 345, false},
    {"nst", -210, false}, {"nzdt", 780, true}, {"nzst", 720, false}, {"nzt", 720, false}, {"pdt", -420, true},
    {"pet", -300, false}, {"pgt", 600, false}, {"pht", 480, false}, {"pkst", 360, true}, {"pkt", 300, false},
    {"pmdt", -120, true}, {"pmst", -180, false}, {"pont", 660, false}, {"pst", -480, false}, {"pwt", 540, false},
    {"pyst", -180, true}, {"ret", 240, false}, {"sadt", 630, true}, {"sast", 120, false}, {"sct", 240, false},
    {"taht", -600, false}, {"tft", 300, false}, {"tjt", 300, false}, {"tot", 780, false}, {"trut", 600, false},
    {"tvt", 720, false}, {"uct", 0, false}, {"ulast", 540, true}, {"ut", 0, false}, {"utc", 0, false},
    {"uyst", -120, true}, {"uyt", -180, false}, {"uzst", 360, true}, {"uzt", 300, false}, {"vut", 660, false},
    {"wadt", 480, true}, {"wakt", 720, false}, {"wast", 420, false}, {"wat", 60, false}, {"wdt", 540, true},
    {"wet", 0, false}, {"wetdst", 60, true}, {"wft", 720, false}, {"wgst", -120, true}, {"wgt", -180, false},
    {"xjt", 360, false}, {"yapt", 600, false}, {"yekst", 360, true}, {"z", 0, false}, {"zulu", 0, false},
    // With the offset of today, for systems without a database of zones.
    {"amst", 240, false, "Asia/Yerevan"}, {"anast", 720, false, "Asia/Anadyr"}, {"anat", 720, false, "Asia/Anadyr"},
    {"arst", -180, false, "America/Argentina/Buenos_Aires"}, {"art", -180, false, "America/Argentina/Buenos_Aires"},
    {"azst", 240, false, "Asia/Baku"}, {"azt", 240, false, "Asia/Baku"}, {"ckt", -600, false, "Pacific/Rarotonga"},
    {"clt", -180, true, "America/Santiago"}, {"davt", 420, false, "Antarctica/Davis"},
    {"easst", -300, true, "Pacific/Easter"}, {"east", -300, true, "Pacific/Easter"},
    {"fkst", -180, false, "Atlantic/Stanley"}, {"fkt", -180, false, "Atlantic/Stanley"},
    {"gest", 240, false, "Asia/Tbilisi"}, {"get", 240, false, "Asia/Tbilisi"}, {"gyt", -240, false, "America/Guyana"},
    {"iot", 360, false, "Indian/Chagos"}, {"irkst", 480, false, "Asia/Irkutsk"}, {"irkt", 480, false, "Asia/Irkutsk"},
    {"kgt", 360, false, "Asia/Bishkek"}, {"kost", 660, false, "Pacific/Kosrae"},
    {"krast", 420, false, "Asia/Krasnoyarsk"}, {"krat", 420, false, "Asia/Krasnoyarsk"},
    {"lhdt", 660, true, "Australia/Lord_Howe"}, {"lint", 840, false, "Pacific/Kiritimati"},
    {"lkt", 330, false, "Asia/Colombo"}, {"magst", 660, false, "Asia/Magadan"}, {"magt", 660, false, "Asia/Magadan"},
    {"mawt", 300, false, "Antarctica/Mawson"}, {"msk", 180, false, "Europe/Moscow"},
    {"novst", 420, false, "Asia/Novosibirsk"}, {"novt", 420, false, "Asia/Novosibirsk"},
    {"nut", -660, false, "Pacific/Niue"}, {"omsst", 360, false, "Asia/Omsk"}, {"omst", 360, false, "Asia/Omsk"},
    {"petst", 720, false, "Asia/Kamchatka"}, {"pett", 720, false, "Asia/Kamchatka"},
    {"pyt", -180, false, "America/Asuncion"}, {"sgt", 480, false, "Asia/Singapore"},
    {"tkt", 780, false, "Pacific/Fakaofo"}, {"tmt", 300, false, "Asia/Ashgabat"},
    {"ulat", 480, false, "Asia/Ulaanbaatar"}, {"vet", -240, false, "America/Caracas"},
    {"vlast", 600, false, "Asia/Vladivostok"}, {"vlat", 600, false, "Asia/Vladivostok"},
    {"volt", 180, false, "Europe/Volgograd"}, {"yakst", 540, false, "Asia/Yakutsk"},
    {"yakt", 540, false, "Asia/Yakutsk"}, {"yekt", 300, false, "Asia/Yekaterinburg"},
};

/// nullptr: unknown.
const ZoneAbbreviation* find(std::string_view name) {
    std::string key(name);
    for (char& c : key)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    const auto* const end = std::end(k_abbreviations);
    const auto* const found = std::find_if(std::begin(k_abbreviations), end,
                                           [&](const ZoneAbbreviation& each) { return key == each.name; });
    return found == end ? nullptr : found;
}

}  // namespace abbreviation_file

std::span<const ZoneAbbreviation> zone_abbreviations() { return abbreviation_file::k_abbreviations; }

std::optional<std::int32_t> zone_abbreviation(std::string_view name) {
    const ZoneAbbreviation* const found = abbreviation_file::find(name);
    return found == nullptr ? std::nullopt : std::optional<std::int32_t>(found->minutes_east * 60);
}

std::shared_ptr<const TimeZone> moving_abbreviation(std::string_view name) {
    const ZoneAbbreviation* const found = abbreviation_file::find(name);
    if (found == nullptr || found->zone == nullptr) return nullptr;
    std::shared_ptr<const TimeZone> zone = find_time_zone(found->zone);
    if (zone == nullptr) return nullptr;  // this system has no database of zones
    std::string shown(found->name);
    for (char& c : shown) c = static_cast<char>(c - 32);
    return std::make_shared<abbreviation_file::AbbreviatedZone>(std::move(shown), std::move(zone));
}

}  // namespace northstar::inline v0::sql
