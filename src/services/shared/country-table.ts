/** ISO 3166-1: code, code3, currency, languages that people there are written to in (the first is the usual one). */
export const COUNTRIES = `
AD AND EUR ca|AE ARE AED ar|AF AFG AFN fa,ps|AG ATG XCD en|AI AIA XCD en|AL ALB ALL sq|AM ARM AMD hy|AO AGO AOA pt|AQ ATA - en|AR ARG ARS es|AS ASM USD en|AT AUT EUR de
AU AUS AUD en|AW ABW AWG nl|AX ALA EUR sv|AZ AZE AZN az|BA BIH BAM bs,hr,sr|BB BRB BBD en|BD BGD BDT bn|BE BEL EUR nl,fr,de|BF BFA XOF fr|BG BGR EUR bg|BH BHR BHD ar
BI BDI BIF fr|BJ BEN XOF fr|BL BLM EUR fr|BM BMU BMD en|BN BRN BND ms|BO BOL BOB es|BQ BES USD nl|BR BRA BRL pt|BS BHS BSD en|BT BTN BTN dz|BV BVT NOK no|BW BWA BWP en
BY BLR BYN be,ru|BZ BLZ BZD en|CA CAN CAD en,fr|CC CCK AUD en|CD COD CDF fr|CF CAF XAF fr|CG COG XAF fr|CH CHE CHF de,fr,it|CI CIV XOF fr|CK COK NZD en|CL CHL CLP es
CM CMR XAF fr,en|CN CHN CNY zh|CO COL COP es|CR CRI CRC es|CU CUB CUP es|CV CPV CVE pt|CW CUW XCG nl|CX CXR AUD en|CY CYP EUR el,tr|CZ CZE CZK cs|DE DEU EUR de
DJ DJI DJF fr,ar|DK DNK DKK da|DM DMA XCD en|DO DOM DOP es|DZ DZA DZD ar,fr|EC ECU USD es|EE EST EUR et|EG EGY EGP ar|EH ESH MAD ar|ER ERI ERN ti|ES ESP EUR es,ca,gl,eu
ET ETH ETB am|FI FIN EUR fi,sv|FJ FJI FJD en|FK FLK FKP en|FM FSM USD en|FO FRO DKK fo|FR FRA EUR fr|GA GAB XAF fr|GB GBR GBP en|GD GRD XCD en|GE GEO GEL ka|GF GUF EUR fr
GG GGY GBP en|GH GHA GHS en|GI GIB GIP en|GL GRL DKK kl|GM GMB GMD en|GN GIN GNF fr|GP GLP EUR fr|GQ GNQ XAF es|GR GRC EUR el|GS SGS GBP en|GT GTM GTQ es|GU GUM USD en
GW GNB XOF pt|GY GUY GYD en|HK HKG HKD zh,en|HM HMD AUD en|HN HND HNL es|HR HRV EUR hr|HT HTI HTG fr,ht|HU HUN HUF hu|ID IDN IDR id|IE IRL EUR en,ga|IL ISR ILS he,ar
IM IMN GBP en|IN IND INR hi,en|IO IOT USD en|IQ IRQ IQD ar,ku|IR IRN IRR fa|IS ISL ISK is|IT ITA EUR it|JE JEY GBP en|JM JAM JMD en|JO JOR JOD ar|JP JPN JPY ja
KE KEN KES en,sw|KG KGZ KGS ky,ru|KH KHM KHR km|KI KIR AUD en|KM COM KMF ar,fr|KN KNA XCD en|KP PRK KPW ko|KR KOR KRW ko|KW KWT KWD ar|KY CYM KYD en|KZ KAZ KZT kk,ru
LA LAO LAK lo|LB LBN LBP ar|LC LCA XCD en|LI LIE CHF de|LK LKA LKR si,ta|LR LBR LRD en|LS LSO LSL en|LT LTU EUR lt|LU LUX EUR fr,de,lb|LV LVA EUR lv|LY LBY LYD ar
MA MAR MAD ar,fr|MC MCO EUR fr|MD MDA MDL ro|ME MNE EUR sr|MF MAF EUR fr|MG MDG MGA mg,fr|MH MHL USD en|MK MKD MKD mk|ML MLI XOF fr|MM MMR MMK my|MN MNG MNT mn|MO MAC MOP zh,pt
MP MNP USD en|MQ MTQ EUR fr|MR MRT MRU ar|MS MSR XCD en|MT MLT EUR mt,en|MU MUS MUR en,fr|MV MDV MVR dv|MW MWI MWK en|MX MEX MXN es|MY MYS MYR ms|MZ MOZ MZN pt|NA NAM NAD en
NC NCL XPF fr|NE NER XOF fr|NF NFK AUD en|NG NGA NGN en|NI NIC NIO es|NL NLD EUR nl|NO NOR NOK no|NP NPL NPR ne|NR NRU AUD en|NU NIU NZD en|NZ NZL NZD en,mi|OM OMN OMR ar
PA PAN PAB es|PE PER PEN es|PF PYF XPF fr|PG PNG PGK en|PH PHL PHP en,fil|PK PAK PKR ur,en|PL POL PLN pl|PM SPM EUR fr|PN PCN NZD en|PR PRI USD es,en|PS PSE ILS ar|PT PRT EUR pt
PW PLW USD en|PY PRY PYG es|QA QAT QAR ar|RE REU EUR fr|RO ROU RON ro|RS SRB RSD sr|RU RUS RUB ru|RW RWA RWF rw,en,fr|SA SAU SAR ar|SB SLB SBD en|SC SYC SCR en,fr|SD SDN SDG ar
SE SWE SEK sv|SG SGP SGD en,zh,ms,ta|SH SHN SHP en|SI SVN EUR sl|SJ SJM NOK no|SK SVK EUR sk|SL SLE SLE en|SM SMR EUR it|SN SEN XOF fr|SO SOM SOS so|SR SUR SRD nl|SS SSD SSP en
ST STP STN pt|SV SLV USD es|SX SXM XCG nl,en|SY SYR SYP ar|SZ SWZ SZL en|TC TCA USD en|TD TCD XAF fr,ar|TF ATF EUR fr|TG TGO XOF fr|TH THA THB th|TJ TJK TJS tg|TK TKL NZD en
TL TLS USD pt|TM TKM TMT tk|TN TUN TND ar,fr|TO TON TOP to|TR TUR TRY tr|TT TTO TTD en|TV TUV AUD en|TW TWN TWD zh|TZ TZA TZS sw,en|UA UKR UAH uk|UG UGA UGX en,sw|UM UMI USD en
US USA USD en,es|UY URY UYU es|UZ UZB UZS uz|VA VAT EUR it|VC VCT XCD en|VE VEN VES es|VG VGB USD en|VI VIR USD en|VN VNM VND vi|VU VUT VUV fr,en|WF WLF XPF fr|WS WSM WST en
YE YEM YER ar|YT MYT EUR fr|ZA ZAF ZAR en,af,zu,xh|ZM ZMB ZMW en|ZW ZWE ZWG en
`.trim().split(/[|\n]/).map(line => {
    const [code, code3, currency, languages] = line.split(' ') as [string, string, string, string]
    return { code, code3, currency: currency === '-' ? null : currency, languages: languages.split(',') }
  })

/** ISO 3166-2 of the countries whose parts people are asked for. */
export const STATES: Readonly<Record<string, string>> = {
  US: 'AL=Alabama,AK=Alaska,AZ=Arizona,AR=Arkansas,CA=California,CO=Colorado,CT=Connecticut,DE=Delaware,DC=District of Columbia,FL=Florida,GA=Georgia,HI=Hawaii,ID=Idaho,' +
    'IL=Illinois,IN=Indiana,IA=Iowa,KS=Kansas,KY=Kentucky,LA=Louisiana,ME=Maine,MD=Maryland,MA=Massachusetts,MI=Michigan,MN=Minnesota,MS=Mississippi,MO=Missouri,' +
    'MT=Montana,NE=Nebraska,NV=Nevada,NH=New Hampshire,NJ=New Jersey,NM=New Mexico,NY=New York,NC=North Carolina,ND=North Dakota,OH=Ohio,OK=Oklahoma,OR=Oregon,' +
    'PA=Pennsylvania,RI=Rhode Island,SC=South Carolina,SD=South Dakota,TN=Tennessee,TX=Texas,UT=Utah,VT=Vermont,VA=Virginia,WA=Washington,WV=West Virginia,' +
    'WI=Wisconsin,WY=Wyoming,AS=American Samoa,GU=Guam,MP=Northern Mariana Islands,PR=Puerto Rico,VI=U.S. Virgin Islands,UM=U.S. Minor Outlying Islands',
  CA: 'AB=Alberta,BC=British Columbia,MB=Manitoba,NB=New Brunswick,NL=Newfoundland and Labrador,NS=Nova Scotia,NT=Northwest Territories,NU=Nunavut,ON=Ontario,' +
    'PE=Prince Edward Island,QC=Quebec,SK=Saskatchewan,YT=Yukon',
  AU: 'ACT=Australian Capital Territory,NSW=New South Wales,NT=Northern Territory,QLD=Queensland,SA=South Australia,TAS=Tasmania,VIC=Victoria,WA=Western Australia',
  GB: 'ENG=England,NIR=Northern Ireland,SCT=Scotland,WLS=Wales',
  IN: 'AN=Andaman and Nicobar Islands,AP=Andhra Pradesh,AR=Arunachal Pradesh,AS=Assam,BR=Bihar,CH=Chandigarh,CG=Chhattisgarh,' +
    'DH=Dadra and Nagar Haveli and Daman and Diu,DL=Delhi,GA=Goa,GJ=Gujarat,HR=Haryana,HP=Himachal Pradesh,JK=Jammu and Kashmir,JH=Jharkhand,KA=Karnataka,KL=Kerala,' +
    'LA=Ladakh,LD=Lakshadweep,MP=Madhya Pradesh,MH=Maharashtra,MN=Manipur,ML=Meghalaya,MZ=Mizoram,NL=Nagaland,OD=Odisha,PY=Puducherry,PB=Punjab,RJ=Rajasthan,SK=Sikkim,' +
    'TN=Tamil Nadu,TS=Telangana,TR=Tripura,UP=Uttar Pradesh,UK=Uttarakhand,WB=West Bengal',
  BR: 'AC=Acre,AL=Alagoas,AP=Amapá,AM=Amazonas,BA=Bahia,CE=Ceará,DF=Distrito Federal,ES=Espírito Santo,GO=Goiás,MA=Maranhão,MT=Mato Grosso,MS=Mato Grosso do Sul,' +
    'MG=Minas Gerais,PA=Pará,PB=Paraíba,PR=Paraná,PE=Pernambuco,PI=Piauí,RJ=Rio de Janeiro,RN=Rio Grande do Norte,RS=Rio Grande do Sul,RO=Rondônia,RR=Roraima,' +
    'SC=Santa Catarina,SP=São Paulo,SE=Sergipe,TO=Tocantins',
  MX: 'AGU=Aguascalientes,BCN=Baja California,BCS=Baja California Sur,CAM=Campeche,CHP=Chiapas,CHH=Chihuahua,CMX=Ciudad de México,COA=Coahuila,COL=Colima,DUR=Durango,' +
    'GUA=Guanajuato,GRO=Guerrero,HID=Hidalgo,JAL=Jalisco,MEX=México,MIC=Michoacán,MOR=Morelos,NAY=Nayarit,NLE=Nuevo León,OAX=Oaxaca,PUE=Puebla,QUE=Querétaro,' +
    'ROO=Quintana Roo,SLP=San Luis Potosí,SIN=Sinaloa,SON=Sonora,TAB=Tabasco,TAM=Tamaulipas,TLA=Tlaxcala,VER=Veracruz,YUC=Yucatán,ZAC=Zacatecas',
  DE: 'BW=Baden-Württemberg,BY=Bayern,BE=Berlin,BB=Brandenburg,HB=Bremen,HH=Hamburg,HE=Hessen,MV=Mecklenburg-Vorpommern,NI=Niedersachsen,NW=Nordrhein-Westfalen,' +
    'RP=Rheinland-Pfalz,SL=Saarland,SN=Sachsen,ST=Sachsen-Anhalt,SH=Schleswig-Holstein,TH=Thüringen'
}

export const POSTAL: Readonly<Record<string, string>> = {
  US: '^\\d{5}(-\\d{4})?$',
  CA: '^[A-Za-z]\\d[A-Za-z] ?\\d[A-Za-z]\\d$',
  GB: '^[A-Za-z]{1,2}\\d[A-Za-z\\d]? ?\\d[A-Za-z]{2}$',
  AU: '^\\d{4}$',
  NZ: '^\\d{4}$',
  IN: '^[1-9]\\d{5}$',
  BR: '^\\d{5}-?\\d{3}$',
  MX: '^\\d{5}$',
  DE: '^\\d{5}$',
  FR: '^\\d{5}$',
  IT: '^\\d{5}$',
  ES: '^\\d{5}$',
  AT: '^\\d{4}$',
  CH: '^\\d{4}$',
  BE: '^\\d{4}$',
  NL: '^\\d{4} ?[A-Za-z]{2}$',
  DK: '^\\d{4}$',
  NO: '^\\d{4}$',
  SE: '^\\d{3} ?\\d{2}$',
  FI: '^\\d{5}$',
  PL: '^\\d{2}-\\d{3}$',
  PT: '^\\d{4}-\\d{3}$',
  JP: '^\\d{3}-?\\d{4}$',
  SG: '^\\d{6}$',
  ZA: '^\\d{4}$'
}
export const POSTAL_LABELS: Readonly<Record<string, string>> = { US: 'ZIP code', PH: 'ZIP code', GB: 'Postcode', AU: 'Postcode', NZ: 'Postcode', IE: 'Eircode', IN: 'PIN code', BR: 'CEP', IT: 'CAP', DE: 'PLZ' }
/** Countries that write the code after the place, and its state. */
export const CODE_LAST = new Set(['US', 'CA', 'AU', 'GB', 'IN', 'NZ', 'IE', 'PR', 'SG', 'ZA', 'PH', 'HK', 'KE', 'NG'])
export const MORE_LANGUAGES = ['cy', 'gd', 'eo', 'gu', 'mr', 'te', 'kn', 'ml', 'pa', 'or', 'as', 'ckb', 'sd', 'ug', 'yi', 'yo', 'ig', 'ha', 'la', 'jv', 'su', 'pt-BR', 'en-GB', 'en-US', 'fr-CA', 'es-MX', 'zh-Hans', 'zh-Hant']
export const RTL = new Set(['ar', 'he', 'fa', 'ur', 'ps', 'sd', 'ug', 'yi', 'dv', 'ckb'])
export const INDUSTRIES = 'automotive beauty construction dental education entertainment finance fitness food health home_services hospitality insurance legal manufacturing marketing nonprofit pets photography professional_services real_estate retail technology travel'.split(' ')
