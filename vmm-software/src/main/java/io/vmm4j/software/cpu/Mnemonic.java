package io.vmm4j.software.cpu;

/**
 * The instructions by name: the manual's, and finer ones where one name covers different executors
 * (MOV_TO_CR, CALL_FAR). A string instruction has its name without its size, so that MOVSD and
 * CMPSD are those of SSE2. {@link MnemonicTable} has what is known of each.
 *
 * <p>Numbers, not an enum: the executors dispatch on them for every instruction, and a switch over
 * an enum costs three more dependent loads each time.
 */
public final class Mnemonic {
  // ---- undefined ----

  /** No instruction that is known here. */
  public static final int UNDEFINED = 0;

  /** An encoding that the manual says is #UD. */
  public static final int RESERVED = 1;

  // ---- integer ----

  /** The first of eight, to CMP, in the order in which {@link Alu} numbers them. */
  public static final int ADD = 8;

  public static final int OR = 9;
  public static final int ADC = 10;
  public static final int SBB = 11;
  public static final int AND = 12;
  public static final int SUB = 13;
  public static final int XOR = 14;
  public static final int CMP = 15;
  public static final int TEST = 16;
  public static final int INC = 17;
  public static final int DEC = 18;
  public static final int NEG = 19;
  public static final int NOT = 20;
  public static final int MUL = 21;
  public static final int IMUL = 22;
  public static final int DIV = 23;
  public static final int IDIV = 24;
  public static final int ROL = 25;
  public static final int ROR = 26;
  public static final int RCL = 27;
  public static final int RCR = 28;
  public static final int SHL = 29;
  public static final int SHR = 30;
  public static final int SAR = 31;
  public static final int SHLD = 32;
  public static final int SHRD = 33;
  public static final int MOV = 34;
  public static final int MOVZX = 35;
  public static final int MOVSX = 36;
  public static final int MOVSXD = 37;
  public static final int CMOVCC = 38;
  public static final int SETCC = 39;
  public static final int XCHG = 40;
  public static final int XADD = 41;
  public static final int CMPXCHG = 42;
  public static final int CMPXCHG8B = 43;
  public static final int BSWAP = 44;
  public static final int LEA = 45;
  public static final int PUSH = 46;
  public static final int POP = 47;
  public static final int PUSHA = 48;
  public static final int POPA = 49;
  public static final int ENTER = 50;
  public static final int LEAVE = 51;
  public static final int CBW = 52;
  public static final int CWD = 53;
  public static final int LAHF = 54;
  public static final int SAHF = 55;
  public static final int XLAT = 56;
  public static final int SALC = 57;
  public static final int CMC = 58;
  public static final int CLC = 59;
  public static final int STC = 60;
  public static final int CLD = 61;
  public static final int STD = 62;
  public static final int NOP = 63;
  public static final int PAUSE = 64;
  public static final int PREFETCH = 65;
  public static final int PREFETCHW = 66;

  // ---- branch ----

  public static final int JCC = 72;
  public static final int JMP = 73;
  public static final int CALL = 74;
  public static final int RET = 75;
  public static final int LOOP = 76;
  public static final int LOOPE = 77;
  public static final int LOOPNE = 78;
  public static final int JCXZ = 79;

  // ---- bit ----

  public static final int BT = 84;
  public static final int BTS = 85;
  public static final int BTR = 86;
  public static final int BTC = 87;
  public static final int BSF = 88;
  public static final int BSR = 89;
  public static final int TZCNT = 90;
  public static final int LZCNT = 91;
  public static final int POPCNT = 92;

  // ---- string ----

  public static final int MOVS = 96;
  public static final int CMPS = 97;
  public static final int STOS = 98;
  public static final int LODS = 99;
  public static final int SCAS = 100;

  // ---- decimal ----

  public static final int AAA = 104;
  public static final int AAS = 105;
  public static final int AAM = 106;
  public static final int AAD = 107;
  public static final int DAA = 108;
  public static final int DAS = 109;

  // ---- bit manipulation ----

  public static final int MOVBE = 112;
  public static final int ADCX = 113;
  public static final int ADOX = 114;
  public static final int ANDN = 115;
  public static final int BEXTR = 116;
  public static final int BLSI = 117;
  public static final int BLSMSK = 118;
  public static final int BLSR = 119;
  public static final int BZHI = 120;
  public static final int MULX = 121;
  public static final int PDEP = 122;
  public static final int PEXT = 123;
  public static final int RORX = 124;
  public static final int SARX = 125;
  public static final int SHLX = 126;
  public static final int SHRX = 127;

  // ---- port ----

  public static final int IN = 132;
  public static final int OUT = 133;
  public static final int INS = 134;
  public static final int OUTS = 135;

  // ---- system ----

  public static final int PUSH_SEGMENT = 144;
  public static final int POP_SEGMENT = 145;
  public static final int MOV_FROM_SEGMENT = 146;
  public static final int MOV_TO_SEGMENT = 147;
  public static final int LDS = 148;
  public static final int LES = 149;
  public static final int LFS = 150;
  public static final int LGS = 151;
  public static final int LSS = 152;
  public static final int CALL_FAR = 153;
  public static final int JMP_FAR = 154;
  public static final int RET_FAR = 155;
  public static final int INT = 156;
  public static final int INT1 = 157;
  public static final int INT3 = 158;
  public static final int INTO = 159;
  public static final int IRET = 160;
  public static final int BOUND = 161;
  public static final int PUSHF = 162;
  public static final int POPF = 163;
  public static final int CLI = 164;
  public static final int STI = 165;
  public static final int HLT = 166;
  public static final int ARPL = 167;
  public static final int LAR = 168;
  public static final int LSL = 169;
  public static final int VERR = 170;
  public static final int VERW = 171;
  public static final int SLDT = 172;
  public static final int STR = 173;
  public static final int LLDT = 174;
  public static final int LTR = 175;
  public static final int SGDT = 176;
  public static final int SIDT = 177;
  public static final int LGDT = 178;
  public static final int LIDT = 179;
  public static final int SMSW = 180;
  public static final int LMSW = 181;
  public static final int CLTS = 182;
  public static final int MOV_FROM_CR = 183;
  public static final int MOV_TO_CR = 184;
  public static final int MOV_FROM_DR = 185;
  public static final int MOV_TO_DR = 186;
  public static final int INVLPG = 187;
  public static final int INVPCID = 188;
  public static final int INVD = 189;
  public static final int WBINVD = 190;
  public static final int RDMSR = 191;
  public static final int WRMSR = 192;
  public static final int RDTSC = 193;
  public static final int RDTSCP = 194;
  public static final int RDPMC = 195;
  public static final int CPUID = 196;
  public static final int SYSCALL = 197;
  public static final int SYSRET = 198;
  public static final int SYSENTER = 199;
  public static final int SYSEXIT = 200;
  public static final int SWAPGS = 201;
  public static final int CLAC = 202;
  public static final int STAC = 203;
  public static final int XGETBV = 204;
  public static final int XSETBV = 205;
  public static final int RDPKRU = 206;
  public static final int WRPKRU = 207;
  public static final int RDFSBASE = 208;
  public static final int RDGSBASE = 209;
  public static final int WRFSBASE = 210;
  public static final int WRGSBASE = 211;
  public static final int RDRAND = 212;
  public static final int RDSEED = 213;
  public static final int UD0 = 214;
  public static final int UD1 = 215;
  public static final int UD2 = 216;
  public static final int RSM = 217;

  // ---- x87 ----

  public static final int FADD = 256;
  public static final int FMUL = 257;
  public static final int FCOM = 258;
  public static final int FCOMP = 259;
  public static final int FSUB = 260;
  public static final int FSUBR = 261;
  public static final int FDIV = 262;
  public static final int FDIVR = 263;
  public static final int FADDP = 264;
  public static final int FMULP = 265;
  public static final int FCOMPP = 266;
  public static final int FSUBP = 267;
  public static final int FSUBRP = 268;
  public static final int FDIVP = 269;
  public static final int FDIVRP = 270;

  /** The first, to FIDIVR, whose operand is an integer. */
  public static final int FIADD = 271;

  public static final int FIMUL = 272;
  public static final int FICOM = 273;
  public static final int FICOMP = 274;
  public static final int FISUB = 275;
  public static final int FISUBR = 276;
  public static final int FIDIV = 277;
  public static final int FIDIVR = 278;
  public static final int FUCOM = 279;
  public static final int FUCOMP = 280;
  public static final int FUCOMPP = 281;
  public static final int FCOMI = 282;
  public static final int FCOMIP = 283;
  public static final int FUCOMI = 284;
  public static final int FUCOMIP = 285;
  public static final int FCMOVB = 286;
  public static final int FCMOVE = 287;
  public static final int FCMOVBE = 288;
  public static final int FCMOVU = 289;
  public static final int FCMOVNB = 290;
  public static final int FCMOVNE = 291;
  public static final int FCMOVNBE = 292;
  public static final int FCMOVNU = 293;
  public static final int FLD = 294;
  public static final int FILD = 295;
  public static final int FBLD = 296;
  public static final int FST = 297;
  public static final int FSTP = 298;
  public static final int FSTPNCE = 299;
  public static final int FIST = 300;
  public static final int FISTP = 301;
  public static final int FISTTP = 302;
  public static final int FBSTP = 303;
  public static final int FXCH = 304;
  public static final int FFREE = 305;
  public static final int FFREEP = 306;
  public static final int FNOP = 307;
  public static final int FCHS = 308;
  public static final int FABS = 309;
  public static final int FTST = 310;
  public static final int FXAM = 311;

  /** The first of the constants, to FLDZ, in the order in which {@code X87} has them. */
  public static final int FLD1 = 312;

  public static final int FLDL2T = 313;
  public static final int FLDL2E = 314;
  public static final int FLDPI = 315;
  public static final int FLDLG2 = 316;
  public static final int FLDLN2 = 317;
  public static final int FLDZ = 318;
  public static final int F2XM1 = 319;
  public static final int FYL2X = 320;
  public static final int FPTAN = 321;
  public static final int FPATAN = 322;
  public static final int FXTRACT = 323;
  public static final int FPREM1 = 324;
  public static final int FDECSTP = 325;
  public static final int FINCSTP = 326;
  public static final int FPREM = 327;
  public static final int FYL2XP1 = 328;
  public static final int FSQRT = 329;
  public static final int FSINCOS = 330;
  public static final int FRNDINT = 331;
  public static final int FSCALE = 332;
  public static final int FSIN = 333;
  public static final int FCOS = 334;
  public static final int WAIT = 335;

  /** The first control instruction. Those to FRSTOR wait for a pending exception. */
  public static final int FLDENV = 336;

  public static final int FLDCW = 337;
  public static final int FRSTOR = 338;

  /** The first of those that do not wait. */
  public static final int FNSTENV = 339;

  public static final int FNSTCW = 340;
  public static final int FNSAVE = 341;
  public static final int FNSTSW = 342;
  public static final int FNCLEX = 343;
  public static final int FNINIT = 344;
  public static final int FNENI = 345;
  public static final int FNDISI = 346;
  public static final int FNSETPM = 347;

  // ---- state ----

  public static final int FXSAVE = 384;
  public static final int FXRSTOR = 385;
  public static final int LDMXCSR = 386;
  public static final int STMXCSR = 387;
  public static final int XSAVE = 388;
  public static final int XSAVEOPT = 389;
  public static final int XRSTOR = 390;
  public static final int CLFLUSH = 391;
  public static final int CLFLUSHOPT = 392;
  public static final int CLWB = 393;
  public static final int LFENCE = 394;
  public static final int MFENCE = 395;
  public static final int SFENCE = 396;
  public static final int EMMS = 397;

  // ---- simd move ----

  public static final int MOVUPS = 400;
  public static final int MOVUPD = 401;
  public static final int MOVSS = 402;
  public static final int MOVSD = 403;
  public static final int MOVLPS = 404;
  public static final int MOVLPD = 405;
  public static final int MOVHLPS = 406;
  public static final int MOVHPS = 407;
  public static final int MOVHPD = 408;
  public static final int MOVLHPS = 409;
  public static final int MOVSLDUP = 410;
  public static final int MOVSHDUP = 411;
  public static final int MOVDDUP = 412;
  public static final int UNPCKLPS = 413;
  public static final int UNPCKLPD = 414;
  public static final int UNPCKHPS = 415;
  public static final int UNPCKHPD = 416;
  public static final int MOVAPS = 417;
  public static final int MOVAPD = 418;
  public static final int MOVNTPS = 419;
  public static final int MOVNTPD = 420;
  public static final int MOVMSKPS = 421;
  public static final int MOVMSKPD = 422;
  public static final int SHUFPS = 423;
  public static final int SHUFPD = 424;
  public static final int MOVNTI = 425;
  public static final int MOVD = 426;
  public static final int MOVQ = 427;
  public static final int MOVDQA = 428;
  public static final int MOVDQU = 429;
  public static final int MOVQ2DQ = 430;
  public static final int MOVDQ2Q = 431;
  public static final int MOVNTQ = 432;
  public static final int MOVNTDQ = 433;
  public static final int LDDQU = 434;
  public static final int MASKMOVQ = 435;
  public static final int MASKMOVDQU = 436;
  public static final int PMOVMSKB = 437;

  // ---- simd integer ----

  public static final int PUNPCKLBW = 440;
  public static final int PUNPCKLWD = 441;
  public static final int PUNPCKLDQ = 442;
  public static final int PACKSSWB = 443;
  public static final int PCMPGTB = 444;
  public static final int PCMPGTW = 445;
  public static final int PCMPGTD = 446;
  public static final int PACKUSWB = 447;
  public static final int PUNPCKHBW = 448;
  public static final int PUNPCKHWD = 449;
  public static final int PUNPCKHDQ = 450;
  public static final int PACKSSDW = 451;
  public static final int PUNPCKLQDQ = 452;
  public static final int PUNPCKHQDQ = 453;
  public static final int PSHUFW = 454;
  public static final int PSHUFD = 455;
  public static final int PSHUFHW = 456;
  public static final int PSHUFLW = 457;
  public static final int PCMPEQB = 458;
  public static final int PCMPEQW = 459;
  public static final int PCMPEQD = 460;
  public static final int PSRLW = 461;
  public static final int PSRLD = 462;
  public static final int PSRLQ = 463;
  public static final int PSRLDQ = 464;
  public static final int PSRAW = 465;
  public static final int PSRAD = 466;
  public static final int PSLLW = 467;
  public static final int PSLLD = 468;
  public static final int PSLLQ = 469;
  public static final int PSLLDQ = 470;
  public static final int PINSRW = 471;
  public static final int PEXTRW = 472;
  public static final int PADDB = 473;
  public static final int PADDW = 474;
  public static final int PADDD = 475;
  public static final int PADDQ = 476;
  public static final int PADDSB = 477;
  public static final int PADDSW = 478;
  public static final int PADDUSB = 479;
  public static final int PADDUSW = 480;
  public static final int PSUBB = 481;
  public static final int PSUBW = 482;
  public static final int PSUBD = 483;
  public static final int PSUBQ = 484;
  public static final int PSUBSB = 485;
  public static final int PSUBSW = 486;
  public static final int PSUBUSB = 487;
  public static final int PSUBUSW = 488;
  public static final int PMULLW = 489;
  public static final int PMULHW = 490;
  public static final int PMULHUW = 491;
  public static final int PMULUDQ = 492;
  public static final int PMADDWD = 493;
  public static final int PSADBW = 494;
  public static final int PAVGB = 495;
  public static final int PAVGW = 496;
  public static final int PMINUB = 497;
  public static final int PMINSW = 498;
  public static final int PMAXUB = 499;
  public static final int PMAXSW = 500;
  public static final int PAND = 501;
  public static final int PANDN = 502;
  public static final int POR = 503;
  public static final int PXOR = 504;

  // ---- simd float ----

  public static final int UCOMISS = 508;
  public static final int UCOMISD = 509;
  public static final int COMISS = 510;
  public static final int COMISD = 511;
  public static final int SQRTPS = 512;
  public static final int SQRTPD = 513;
  public static final int SQRTSS = 514;
  public static final int SQRTSD = 515;
  public static final int RSQRTPS = 516;
  public static final int RSQRTSS = 517;
  public static final int RCPPS = 518;
  public static final int RCPSS = 519;
  public static final int ANDPS = 520;
  public static final int ANDPD = 521;
  public static final int ANDNPS = 522;
  public static final int ANDNPD = 523;
  public static final int ORPS = 524;
  public static final int ORPD = 525;
  public static final int XORPS = 526;
  public static final int XORPD = 527;
  public static final int ADDPS = 528;
  public static final int ADDPD = 529;
  public static final int ADDSS = 530;
  public static final int ADDSD = 531;
  public static final int MULPS = 532;
  public static final int MULPD = 533;
  public static final int MULSS = 534;
  public static final int MULSD = 535;
  public static final int SUBPS = 536;
  public static final int SUBPD = 537;
  public static final int SUBSS = 538;
  public static final int SUBSD = 539;
  public static final int MINPS = 540;
  public static final int MINPD = 541;
  public static final int MINSS = 542;
  public static final int MINSD = 543;
  public static final int DIVPS = 544;
  public static final int DIVPD = 545;
  public static final int DIVSS = 546;
  public static final int DIVSD = 547;
  public static final int MAXPS = 548;
  public static final int MAXPD = 549;
  public static final int MAXSS = 550;
  public static final int MAXSD = 551;
  public static final int CMPPS = 552;
  public static final int CMPPD = 553;
  public static final int CMPSS = 554;
  public static final int CMPSD = 555;
  public static final int HADDPS = 556;
  public static final int HADDPD = 557;
  public static final int HSUBPS = 558;
  public static final int HSUBPD = 559;
  public static final int ADDSUBPS = 560;
  public static final int ADDSUBPD = 561;

  // ---- simd convert ----

  public static final int CVTPI2PS = 572;
  public static final int CVTPI2PD = 573;
  public static final int CVTSI2SS = 574;
  public static final int CVTSI2SD = 575;
  public static final int CVTTPS2PI = 576;
  public static final int CVTTPD2PI = 577;
  public static final int CVTTSS2SI = 578;
  public static final int CVTTSD2SI = 579;
  public static final int CVTPS2PI = 580;
  public static final int CVTPD2PI = 581;
  public static final int CVTSS2SI = 582;
  public static final int CVTSD2SI = 583;
  public static final int CVTPS2PD = 584;
  public static final int CVTPD2PS = 585;
  public static final int CVTSS2SD = 586;
  public static final int CVTSD2SS = 587;
  public static final int CVTDQ2PS = 588;
  public static final int CVTPS2DQ = 589;
  public static final int CVTTPS2DQ = 590;
  public static final int CVTTPD2DQ = 591;
  public static final int CVTDQ2PD = 592;
  public static final int CVTPD2DQ = 593;

  // ---- simd 38 ----

  public static final int PSHUFB = 600;
  public static final int PHADDW = 601;
  public static final int PHADDD = 602;
  public static final int PHADDSW = 603;
  public static final int PMADDUBSW = 604;
  public static final int PHSUBW = 605;
  public static final int PHSUBD = 606;
  public static final int PHSUBSW = 607;
  public static final int PSIGNB = 608;
  public static final int PSIGNW = 609;
  public static final int PSIGND = 610;
  public static final int PMULHRSW = 611;
  public static final int PABSB = 612;
  public static final int PABSW = 613;
  public static final int PABSD = 614;
  public static final int PBLENDVB = 615;
  public static final int BLENDVPS = 616;
  public static final int BLENDVPD = 617;
  public static final int PTEST = 618;

  /** The first, to PMOVSXDQ, that extends signs; those to PMOVZXDQ extend by zeros. */
  public static final int PMOVSXBW = 619;

  public static final int PMOVSXBD = 620;
  public static final int PMOVSXBQ = 621;
  public static final int PMOVSXWD = 622;
  public static final int PMOVSXWQ = 623;
  public static final int PMOVSXDQ = 624;
  public static final int PMOVZXBW = 625;
  public static final int PMOVZXBD = 626;
  public static final int PMOVZXBQ = 627;
  public static final int PMOVZXWD = 628;
  public static final int PMOVZXWQ = 629;
  public static final int PMOVZXDQ = 630;
  public static final int PMULDQ = 631;
  public static final int PCMPEQQ = 632;
  public static final int MOVNTDQA = 633;
  public static final int PACKUSDW = 634;
  public static final int PCMPGTQ = 635;
  public static final int PMINSB = 636;
  public static final int PMINSD = 637;
  public static final int PMINUW = 638;
  public static final int PMINUD = 639;
  public static final int PMAXSB = 640;
  public static final int PMAXSD = 641;
  public static final int PMAXUW = 642;
  public static final int PMAXUD = 643;
  public static final int PMULLD = 644;
  public static final int PHMINPOSUW = 645;
  public static final int CRC32 = 646;

  // ---- simd 3a ----

  public static final int ROUNDPS = 652;
  public static final int ROUNDPD = 653;
  public static final int ROUNDSS = 654;
  public static final int ROUNDSD = 655;
  public static final int BLENDPS = 656;
  public static final int BLENDPD = 657;
  public static final int PBLENDW = 658;
  public static final int PALIGNR = 659;
  public static final int PEXTRB = 660;
  public static final int PEXTRD = 661;
  public static final int EXTRACTPS = 662;
  public static final int PINSRB = 663;
  public static final int INSERTPS = 664;
  public static final int PINSRD = 665;
  public static final int DPPS = 666;
  public static final int DPPD = 667;
  public static final int MPSADBW = 668;
  public static final int PCMPESTRM = 669;
  public static final int PCMPESTRI = 670;
  public static final int PCMPISTRM = 671;
  public static final int PCMPISTRI = 672;

  // ---- avx ----

  public static final int VZEROUPPER = 704;
  public static final int VZEROALL = 705;

  // ---- avx permute ----

  public static final int VBROADCASTSS = 712;
  public static final int VBROADCASTSD = 713;
  public static final int VBROADCASTF128 = 714;
  public static final int VBROADCASTI128 = 715;
  public static final int VPBROADCASTB = 716;
  public static final int VPBROADCASTW = 717;
  public static final int VPBROADCASTD = 718;
  public static final int VPBROADCASTQ = 719;
  public static final int VPERMILPS = 720;
  public static final int VPERMILPD = 721;
  public static final int VPERMPS = 722;
  public static final int VPERMD = 723;
  public static final int VPERMQ = 724;
  public static final int VPERMPD = 725;
  public static final int VPERM2F128 = 726;
  public static final int VPERM2I128 = 727;
  public static final int VINSERTF128 = 728;
  public static final int VINSERTI128 = 729;
  public static final int VEXTRACTF128 = 730;
  public static final int VEXTRACTI128 = 731;
  public static final int VPBLENDD = 732;
  public static final int VPSRLVD = 733;
  public static final int VPSRLVQ = 734;
  public static final int VPSRAVD = 735;
  public static final int VPSLLVD = 736;
  public static final int VPSLLVQ = 737;
  public static final int VTESTPS = 738;
  public static final int VTESTPD = 739;

  // ---- avx masked ----

  public static final int VMASKMOVPS = 744;
  public static final int VMASKMOVPD = 745;
  public static final int VPMASKMOVD = 746;
  public static final int VPMASKMOVQ = 747;
  public static final int VPGATHERDD = 748;
  public static final int VPGATHERDQ = 749;
  public static final int VPGATHERQD = 750;
  public static final int VPGATHERQQ = 751;
  public static final int VGATHERDPS = 752;
  public static final int VGATHERDPD = 753;
  public static final int VGATHERQPS = 754;
  public static final int VGATHERQPD = 755;

  // ---- f16c ----

  public static final int VCVTPH2PS = 760;
  public static final int VCVTPS2PH = 761;

  // ---- fma ----

  /**
   * The first of the FMA instructions: 20 for each order of operands, and of those two for each
   * operation, single precision first.
   */
  public static final int VFMADDSUB132PS = 768;

  public static final int VFMADDSUB132PD = 769;
  public static final int VFMSUBADD132PS = 770;
  public static final int VFMSUBADD132PD = 771;
  public static final int VFMADD132PS = 772;
  public static final int VFMADD132PD = 773;
  public static final int VFMADD132SS = 774;
  public static final int VFMADD132SD = 775;
  public static final int VFMSUB132PS = 776;
  public static final int VFMSUB132PD = 777;
  public static final int VFMSUB132SS = 778;
  public static final int VFMSUB132SD = 779;
  public static final int VFNMADD132PS = 780;
  public static final int VFNMADD132PD = 781;
  public static final int VFNMADD132SS = 782;
  public static final int VFNMADD132SD = 783;
  public static final int VFNMSUB132PS = 784;
  public static final int VFNMSUB132PD = 785;
  public static final int VFNMSUB132SS = 786;
  public static final int VFNMSUB132SD = 787;
  public static final int VFMADDSUB213PS = 788;
  public static final int VFMADDSUB213PD = 789;
  public static final int VFMSUBADD213PS = 790;
  public static final int VFMSUBADD213PD = 791;
  public static final int VFMADD213PS = 792;
  public static final int VFMADD213PD = 793;
  public static final int VFMADD213SS = 794;
  public static final int VFMADD213SD = 795;
  public static final int VFMSUB213PS = 796;
  public static final int VFMSUB213PD = 797;
  public static final int VFMSUB213SS = 798;
  public static final int VFMSUB213SD = 799;
  public static final int VFNMADD213PS = 800;
  public static final int VFNMADD213PD = 801;
  public static final int VFNMADD213SS = 802;
  public static final int VFNMADD213SD = 803;
  public static final int VFNMSUB213PS = 804;
  public static final int VFNMSUB213PD = 805;
  public static final int VFNMSUB213SS = 806;
  public static final int VFNMSUB213SD = 807;
  public static final int VFMADDSUB231PS = 808;
  public static final int VFMADDSUB231PD = 809;
  public static final int VFMSUBADD231PS = 810;
  public static final int VFMSUBADD231PD = 811;
  public static final int VFMADD231PS = 812;
  public static final int VFMADD231PD = 813;
  public static final int VFMADD231SS = 814;
  public static final int VFMADD231SD = 815;
  public static final int VFMSUB231PS = 816;
  public static final int VFMSUB231PD = 817;
  public static final int VFMSUB231SS = 818;
  public static final int VFMSUB231SD = 819;
  public static final int VFNMADD231PS = 820;
  public static final int VFNMADD231PD = 821;
  public static final int VFNMADD231SS = 822;
  public static final int VFNMADD231SD = 823;
  public static final int VFNMSUB231PS = 824;
  public static final int VFNMSUB231PD = 825;
  public static final int VFNMSUB231SS = 826;
  public static final int VFNMSUB231SD = 827;

  private Mnemonic() {}
}
