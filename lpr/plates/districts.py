"""The codes with which plates of some countries begin: districts, counties, cantons, provinces.

A plate whose first letters are no district of its country is hardly one of that country, so these lists part W from H
in WES and HES as no shape of letters can. ``DISTRICTS`` holds the codes without umlauts and carons (as plates are read
here): old codes that are issued no longer but still drive are there too. ``factor`` says how much likelier a text is
for its beginning than if letters were drawn evenly; an unlisted beginning is only less likely, since lists age and
authorities (police, army, diplomats) have codes of their own.

Sources: the countries' published lists as generally known, Germany's checked against two public lists, the others not
checked against each authority. Pure. May import nothing of ours.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

__all__ = ["DISTRICTS", "UNLISTED", "factor"]

_GERMANY: Final = """
A AA AB ABG ABI AC AE AH AIB AIC AK AL ALF ALS ALZ AM AN ANA ANG ANK AO AP APD AR ARN ART AS ASD ASL ASZ AT AU AUR AW
AZ AZE B BA BAD BAR BB BBG BBL BC BCH BD BE BED BEI BER BF BG BGD BGL BH BI BID BIN BIR BIT BIW BK BKS BL BLB BLK BM BN
BNA BO BOG BOH BOR BOT BP BRA BRB BRG BRI BRK BRL BRV BS BSB BSK BT BTF BUD BUL BUR BUS BUZ BW BWL BYL BZ BZA C CA CAS
CB CE CHA CLP CLZ CO COC COE CR CUX CW D DA DAH DAN DAU DB DBR DD DE DEG DEL DGF DH DI DIL DIN DIZ DKB DL DLG DM DN DO
DON DU DUD DUW DW DZ E EA EB EBE EBN EBS ECK ED EE EF EG EH EI EIC EIL EIN EIS EL EM EMD EMS EN ER ERB ERH ERK ERZ ES
ESB ESW EU EUT EW F FB FD FDB FDS FEU FF FFB FG FH FI FKB FL FLO FN FO FOR FR FRG FRI FRW FS FT FTL FU FUS FW FZ G GA
GAN GAP GC GD GDB GE GEL GEM GEO GER GF GG GHA GHC GI GK GL GLA GM GMN GN GNT GO GOA GOH GP GR GRA GRH GRI GRM GRZ GS
GT GTH GU GUB GUN GV GVM GW GZ H HA HAB HAL HAM HAS HB HBN HBS HC HCH HD HDH HDL HE HEB HEF HEI HEL HER HET HF HG HGN
HGW HH HHM HI HIG HIP HK HL HM HMU HN HO HOG HOH HOL HOM HOR HOS HOT HP HR HRO HS HSK HST HU HUN HUS HV HVL HWI HX HY
HZ IGB IK IL ILL IN IS IZ J JE JEV JL JUL K KA KAR KB KC KE KEH KEL KEM KF KG KH KI KIB KK KL KLE KLZ KM KN KO KON KOT
KOZ KR KRU KS KT KU KUN KUS KW KY KYF L LA LAN LAU LB LBS LBZ LC LD LDK LDS LEO LER LEV LF LG LH LI LIB LIF LIP LL LM
LN LO LOB LOS LP LR LRO LSA LSN LSZ LU LUN LUP LWL M MA MAB MAI MAK MAL MB MC MD ME MED MEG MEI MEK MEL MER MET MG MGH
MGN MH MHL MI MIL MK MKK ML MM MN MO MOD MOL MON MOS MQ MR MS MSE MSH MSP MST MTK MTL MU MUB MUR MVL MW MY MYK MZ MZG N
NAB NAI NAU NB ND NDH NE NEA NEB NEC NEN NES NEU NEW NF NH NI NK NL NM NMB NMS NO NOH NOL NOM NOR NP NR NRW NT NU NVP
NW NWM NY NZ OA OAL OB OBB OBG OC OCH OD OE OF OG OH OHA OHR OHV OHZ OK OL OP OPR OR OS OSL OTW OVI OVL OVP OZ P PA PAF
PAN PAR PB PCH PE PEG PF PI PIR PL PLO PM PN PR PRU PS PW PZ QFT QLB R RA RC RD RDG RE REG REH REI RG RH RI RID RIE RL
RM RN RO ROD ROF ROH ROK ROL ROS ROT ROW RP RPL RS RSL RT RU RUD RUG RV RW RWL RY RZ S SAB SAD SAL SAN SAW SB SBG SBK
SC SCZ SDH SDL SDT SE SEB SEE SEF SEL SFB SFT SG SGH SH SHA SHG SHK SHL SI SIG SIM SK SL SLE SLF SLK SLN SLS SLU SLZ SM
SMU SN SO SOB SOG SOK SOM SON SP SPB SPN SR SRB SRO ST STA STB STD STE STL STO SU SUL SUW SW SWA SY SZ SZB TBB TDO TE
TET TF TG THL THW TIR TO TOL TP TR TS TT TU TUT UB UE UEM UFF UH UL UM UN USI V VAI VB VEC VER VG VIB VIE VIT VK VOH VR
VS W WA WAF WAK WAN WAR WAT WB WBS WDA WE WEL WEN WER WES WF WG WHV WI WIL WIS WIT WIZ WK WL WLG WM WMS WN WND WO WOB
WOH WOL WOR WOS WR WRN WS WSF WST WSW WT WTL WTM WU WUG WUM WUN WUR WW WZ WZL X Y Z ZE ZEL ZI ZIG ZP ZR ZW ZZ
"""
_AUSTRIA: Final = """
B E G I K L N O P S T V W AM BA BL BM BN BR BZ DL DO EF EU FB FE FF FK FR GB GD GF GM GR GS GU HA HB HE HF HL HO IL IM
JE JO JU JW KB KF KG KI KL KO KR KS KU LA LB LE LF LI LL LN LZ MA MD ME MI MT MU MZ ND NK OP OW PE PL RA RE RI RO SB SD
SE SL SO SP SR ST SV SW SZ TA TU UU VB VI VK VL VO WB WD WE WK WL WN WO WT WU WY WZ ZE ZT ZW
"""
_ROMANIA: Final = """
B AB AG AR BC BH BN BR BT BV BZ CJ CL CS CT CV DB DJ GJ GL GR HD HR IF IL IS MH MM MS NT OT PH SB SJ SM SV TL TM TR VL
VN VS
"""
_SLOVAKIA: Final = """
BA BB BC BJ BL BN BR BS BT BY CA DK DS DT EE GA GL HC HE IL KA KE KI KK KM KN KS LC LE LM LV MA MI ML MT MY NM NO NR NZ
PB PD PE PK PN PO PP PT PU PV RA RK RS RV SA SB SC SE SI SK SL SN SO SP SV TN TO TR TS TT TV VK VT ZA ZC ZH ZM ZV
"""
_BULGARIA: Final = "A B BH BP BT C CA CB CC CH CM CO CT E EB EH H K KH M OB P PA PB PK PP T TX X Y"
_CROATIA: Final = """
BJ BM CK DA DE DJ DU GS HV IM KA KC KR KT KZ MA NA NG OG OS PS PU PZ RI SB SI SK SL ST VK VT VU VZ ZD ZG ZU
"""
_SERBIA: Final = """
AC AL AR BB BC BG BO BP BT BU CA CU DE GL IC IN JA KA KC KG KI KL KM KO KS KV LB LE LO LU NG NI NP NS NV PA PB PE PI PN
PO PP PR PT PZ RA RU SA SC SD SI SJ SM SN SO SP ST SU SV TO TS TT UB UE UR VA VB VL VP VR VS ZA ZR
"""
_SPAIN: Final = """
A B C H J L M O P S T V Z AB AL AV BA BI BU CA CC CE CO CR CS CU GC GE GI GR GU HU IB LE LO LU MA ML MU NA OR OU PM PO
SA SE SG SH SO SS TE TF TO VA VI ZA
"""
_SWITZERLAND: Final = "AG AI AR BE BL BS FR GE GL GR JU LU NE NW OW SG SH SO SZ TG TI UR VD VS ZG ZH"
_SLOVENIA: Final = "CE GO KK KP KR LJ MB MS NM PO SG"
_MONTENEGRO: Final = "AN BA BD BP BR CT DG GS HN KL KO MK NK PG PL PV PZ RO SN TV TZ UL ZB"
_MACEDONIA: Final = """
BE BT DB DE DH DK GE GV KA KI KO KP KR KS KU MB MK NE OH PE PP PR PS RA RE SK SN SR ST SU TE VA VE VI VV
"""

DISTRICTS: Final[dict[str, frozenset[str]]] = {
    "at": frozenset(_AUSTRIA.split()),
    "bg": frozenset(_BULGARIA.split()),
    "ch": frozenset(_SWITZERLAND.split()),
    "de": frozenset(_GERMANY.split()),
    "de-alone": frozenset(_GERMANY.split()),
    "es": frozenset(_SPAIN.split()),
    "hr": frozenset(_CROATIA.split()),
    "li": frozenset(("FL",)),
    "me": frozenset(_MONTENEGRO.split()),
    "mk": frozenset(_MACEDONIA.split()),
    "ro": frozenset(_ROMANIA.split()),
    "rs": frozenset(_SERBIA.split()),
    "si": frozenset(_SLOVENIA.split()),
    "sk": frozenset(_SLOVAKIA.split()),
    "tr": frozenset(f"{province:02d}" for province in range(1, 82)),
}
"""Name of a list (``lpr.plates.formats.Format.codes``) to its codes."""

UNLISTED: Final = 0.05
"""Share of the texts of a format whose beginning is in no list."""

_LENGTHS: Final = {1: 0.2, 2: 0.35, 3: 0.45}
_AFTER: Final = {1: 0.2, 2: 0.8}
"""Germany: shares of districts by their length, and of the letters after them by their number."""


@lru_cache(maxsize=4096)
def factor(codes: str, beginning: str) -> float:
    """How much likelier than with evenly drawn characters a text with this ``beginning`` is.

    ``codes``: name of a list. ``beginning``: what stands for the code: as long as it is; of Germany ("de"), where
    nothing parts the district from the letters after it, all letters before the digits ("de-alone": there are no
    letters after it). At least ``UNLISTED``.
    """
    known = DISTRICTS[codes]
    if codes != "de":
        return UNLISTED + (1 - UNLISTED) * (_even(beginning) / _of_length(codes, len(beginning))) * (beginning in known)
    splits = {
        length: share * _AFTER[len(beginning) - length]
        for length, share in _LENGTHS.items()
        if len(beginning) - length in _AFTER
    }
    whole = sum(splits.values())
    if not whole:
        return UNLISTED
    likelier = sum(
        share / whole * 26.0**length / _of_length(codes, length)
        for length, share in splits.items()
        if beginning[:length] in known
    )
    return UNLISTED + (1 - UNLISTED) * likelier


def _even(beginning: str) -> float:
    """How many beginnings of this shape there are."""
    return float(10 ** sum(char.isdigit() for char in beginning) * 26 ** sum(char.isalpha() for char in beginning))


@lru_cache(maxsize=64)
def _of_length(codes: str, length: int) -> int:
    return max(sum(len(code) == length for code in DISTRICTS[codes]), 1)
