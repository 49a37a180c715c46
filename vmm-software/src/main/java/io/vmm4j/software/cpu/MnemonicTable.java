package io.vmm4j.software.cpu;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What executes each {@link Mnemonic} and what it does to the flags (Intel SDM volume 1, appendix
 * A, and the pages of volume 2), as data.
 *
 * <p>A line with {@code =} begins a group: its {@link Executor}, and the number of the first
 * mnemonic that follows. The other lines have a mnemonic and, if there are any, its flags in the
 * appendix's order, OF SF ZF AF PF CF, and DF: {@code M} modified by the result, {@code 0} cleared,
 * {@code 1} set, {@code T} tested, {@code X} tested and modified, {@code U} undefined, {@code -}
 * unchanged. A small letter: left as it is by a count of zero. Jcc, SETcc and CMOVcc test the flags
 * of their condition.
 */
final class MnemonicTable {
  private static final String ROWS =
      """
      = UNDEFINED 0
      UNDEFINED
      RESERVED
      = INTEGER 8
      ADD              MMMMMM
      OR               0MMUM0
      ADC              MMMMMX
      SBB              MMMMMX
      AND              0MMUM0
      SUB              MMMMMM
      XOR              0MMUM0
      CMP              MMMMMM
      TEST             0MMUM0
      INC              MMMMM-
      DEC              MMMMM-
      NEG              MMMMMM
      NOT
      MUL              MUUUUM
      IMUL             MUUUUM
      DIV              UUUUUU
      IDIV             UUUUUU
      ROL              u----m
      ROR              u----m
      RCL              u----x
      RCR              u----x
      SHL              ummumm
      SHR              ummumm
      SAR              ummumm
      SHLD             ummumm
      SHRD             ummumm
      MOV
      MOVZX
      MOVSX
      MOVSXD
      CMOVCC
      SETCC
      XCHG
      XADD             MMMMMM
      CMPXCHG          MMMMMM
      CMPXCHG8B        --M---
      BSWAP
      LEA
      PUSH
      POP
      PUSHA
      POPA
      ENTER
      LEAVE
      CBW
      CWD
      LAHF             -TTTTT
      SAHF             -MMMMM
      XLAT
      SALC             -----T
      CMC              -----X
      CLC              -----0
      STC              -----1
      CLD              ------0
      STD              ------1
      NOP
      PAUSE
      PREFETCH
      PREFETCHW
      = BRANCH 72
      JCC
      JMP
      CALL
      RET
      LOOP
      LOOPE            --T---
      LOOPNE           --T---
      JCXZ
      = BIT 84
      BT               UU-UUM
      BTS              UU-UUM
      BTR              UU-UUM
      BTC              UU-UUM
      BSF              UUMUUU
      BSR              UUMUUU
      TZCNT            UUMUUM
      LZCNT            UUMUUM
      POPCNT           00M000
      = STRING 96
      MOVS             ------T
      CMPS             mmmmmmT
      STOS             ------T
      LODS             ------T
      SCAS             mmmmmmT
      = DECIMAL 104
      AAA              UUUXUM
      AAS              UUUXUM
      AAM              UMMUMU
      AAD              UMMUMU
      DAA              UMMXMX
      DAS              UMMXMX
      = BIT_MANIPULATION 112
      MOVBE
      ADCX             -----X
      ADOX             X-----
      ANDN             0MMUU0
      BEXTR            0UMUU0
      BLSI             0MMUUM
      BLSMSK           0M0UUM
      BLSR             0MMUUM
      BZHI             0MMUUM
      MULX
      PDEP
      PEXT
      RORX
      SARX
      SHLX
      SHRX
      = PORT 132
      IN
      OUT
      INS              ------T
      OUTS             ------T
      = SYSTEM 144
      PUSH_SEGMENT
      POP_SEGMENT
      MOV_FROM_SEGMENT
      MOV_TO_SEGMENT
      LDS
      LES
      LFS
      LGS
      LSS
      CALL_FAR
      JMP_FAR
      RET_FAR
      INT
      INT1
      INT3
      INTO             T-----
      IRET             MMMMMMM
      BOUND
      PUSHF            TTTTTTT
      POPF             MMMMMMM
      CLI
      STI
      HLT
      ARPL             --M---
      LAR              --M---
      LSL              --M---
      VERR             --M---
      VERW             --M---
      SLDT
      STR
      LLDT
      LTR
      SGDT
      SIDT
      LGDT
      LIDT
      SMSW
      LMSW
      CLTS
      MOV_FROM_CR      UUUUUU
      MOV_TO_CR        UUUUUU
      MOV_FROM_DR      UUUUUU
      MOV_TO_DR        UUUUUU
      INVLPG
      INVPCID
      INVD
      WBINVD
      RDMSR
      WRMSR
      RDTSC
      RDTSCP
      RDPMC
      CPUID
      SYSCALL          XXXXXXX
      SYSRET           MMMMMMM
      SYSENTER
      SYSEXIT
      SWAPGS
      CLAC
      STAC
      XGETBV
      XSETBV
      RDPKRU
      WRPKRU
      RDFSBASE
      RDGSBASE
      WRFSBASE
      WRGSBASE
      RDRAND           00000M
      RDSEED           00000M
      UD0
      UD1
      UD2
      RSM              MMMMMMM
      = X87 256
      FADD
      FMUL
      FCOM
      FCOMP
      FSUB
      FSUBR
      FDIV
      FDIVR
      FADDP
      FMULP
      FCOMPP
      FSUBP
      FSUBRP
      FDIVP
      FDIVRP
      FIADD
      FIMUL
      FICOM
      FICOMP
      FISUB
      FISUBR
      FIDIV
      FIDIVR
      FUCOM
      FUCOMP
      FUCOMPP
      FCOMI            00M0MM
      FCOMIP           00M0MM
      FUCOMI           00M0MM
      FUCOMIP          00M0MM
      FCMOVB           -----T
      FCMOVE           --T---
      FCMOVBE          --T--T
      FCMOVU           ----T-
      FCMOVNB          -----T
      FCMOVNE          --T---
      FCMOVNBE         --T--T
      FCMOVNU          ----T-
      FLD
      FILD
      FBLD
      FST
      FSTP
      FSTPNCE
      FIST
      FISTP
      FISTTP
      FBSTP
      FXCH
      FFREE
      FFREEP
      FNOP
      FCHS
      FABS
      FTST
      FXAM
      FLD1
      FLDL2T
      FLDL2E
      FLDPI
      FLDLG2
      FLDLN2
      FLDZ
      F2XM1
      FYL2X
      FPTAN
      FPATAN
      FXTRACT
      FPREM1
      FDECSTP
      FINCSTP
      FPREM
      FYL2XP1
      FSQRT
      FSINCOS
      FRNDINT
      FSCALE
      FSIN
      FCOS
      WAIT
      FLDENV
      FLDCW
      FRSTOR
      FNSTENV
      FNSTCW
      FNSAVE
      FNSTSW
      FNCLEX
      FNINIT
      FNENI
      FNDISI
      FNSETPM
      = STATE 384
      FXSAVE
      FXRSTOR
      LDMXCSR
      STMXCSR
      XSAVE
      XSAVEOPT
      XRSTOR
      CLFLUSH
      CLFLUSHOPT
      CLWB
      LFENCE
      MFENCE
      SFENCE
      EMMS
      = SIMD_MOVE 400
      MOVUPS
      MOVUPD
      MOVSS
      MOVSD
      MOVLPS
      MOVLPD
      MOVHLPS
      MOVHPS
      MOVHPD
      MOVLHPS
      MOVSLDUP
      MOVSHDUP
      MOVDDUP
      UNPCKLPS
      UNPCKLPD
      UNPCKHPS
      UNPCKHPD
      MOVAPS
      MOVAPD
      MOVNTPS
      MOVNTPD
      MOVMSKPS
      MOVMSKPD
      SHUFPS
      SHUFPD
      MOVNTI
      MOVD
      MOVQ
      MOVDQA
      MOVDQU
      MOVQ2DQ
      MOVDQ2Q
      MOVNTQ
      MOVNTDQ
      LDDQU
      MASKMOVQ
      MASKMOVDQU
      PMOVMSKB
      = SIMD_INTEGER 440
      PUNPCKLBW
      PUNPCKLWD
      PUNPCKLDQ
      PACKSSWB
      PCMPGTB
      PCMPGTW
      PCMPGTD
      PACKUSWB
      PUNPCKHBW
      PUNPCKHWD
      PUNPCKHDQ
      PACKSSDW
      PUNPCKLQDQ
      PUNPCKHQDQ
      PSHUFW
      PSHUFD
      PSHUFHW
      PSHUFLW
      PCMPEQB
      PCMPEQW
      PCMPEQD
      PSRLW
      PSRLD
      PSRLQ
      PSRLDQ
      PSRAW
      PSRAD
      PSLLW
      PSLLD
      PSLLQ
      PSLLDQ
      PINSRW
      PEXTRW
      PADDB
      PADDW
      PADDD
      PADDQ
      PADDSB
      PADDSW
      PADDUSB
      PADDUSW
      PSUBB
      PSUBW
      PSUBD
      PSUBQ
      PSUBSB
      PSUBSW
      PSUBUSB
      PSUBUSW
      PMULLW
      PMULHW
      PMULHUW
      PMULUDQ
      PMADDWD
      PSADBW
      PAVGB
      PAVGW
      PMINUB
      PMINSW
      PMAXUB
      PMAXSW
      PAND
      PANDN
      POR
      PXOR
      = SIMD_FLOAT 508
      UCOMISS          00M0MM
      UCOMISD          00M0MM
      COMISS           00M0MM
      COMISD           00M0MM
      SQRTPS
      SQRTPD
      SQRTSS
      SQRTSD
      RSQRTPS
      RSQRTSS
      RCPPS
      RCPSS
      ANDPS
      ANDPD
      ANDNPS
      ANDNPD
      ORPS
      ORPD
      XORPS
      XORPD
      ADDPS
      ADDPD
      ADDSS
      ADDSD
      MULPS
      MULPD
      MULSS
      MULSD
      SUBPS
      SUBPD
      SUBSS
      SUBSD
      MINPS
      MINPD
      MINSS
      MINSD
      DIVPS
      DIVPD
      DIVSS
      DIVSD
      MAXPS
      MAXPD
      MAXSS
      MAXSD
      CMPPS
      CMPPD
      CMPSS
      CMPSD
      HADDPS
      HADDPD
      HSUBPS
      HSUBPD
      ADDSUBPS
      ADDSUBPD
      = SIMD_CONVERT 572
      CVTPI2PS
      CVTPI2PD
      CVTSI2SS
      CVTSI2SD
      CVTTPS2PI
      CVTTPD2PI
      CVTTSS2SI
      CVTTSD2SI
      CVTPS2PI
      CVTPD2PI
      CVTSS2SI
      CVTSD2SI
      CVTPS2PD
      CVTPD2PS
      CVTSS2SD
      CVTSD2SS
      CVTDQ2PS
      CVTPS2DQ
      CVTTPS2DQ
      CVTTPD2DQ
      CVTDQ2PD
      CVTPD2DQ
      = SIMD_38 600
      PSHUFB
      PHADDW
      PHADDD
      PHADDSW
      PMADDUBSW
      PHSUBW
      PHSUBD
      PHSUBSW
      PSIGNB
      PSIGNW
      PSIGND
      PMULHRSW
      PABSB
      PABSW
      PABSD
      PBLENDVB
      BLENDVPS
      BLENDVPD
      PTEST            00M00M
      PMOVSXBW
      PMOVSXBD
      PMOVSXBQ
      PMOVSXWD
      PMOVSXWQ
      PMOVSXDQ
      PMOVZXBW
      PMOVZXBD
      PMOVZXBQ
      PMOVZXWD
      PMOVZXWQ
      PMOVZXDQ
      PMULDQ
      PCMPEQQ
      MOVNTDQA
      PACKUSDW
      PCMPGTQ
      PMINSB
      PMINSD
      PMINUW
      PMINUD
      PMAXSB
      PMAXSD
      PMAXUW
      PMAXUD
      PMULLD
      PHMINPOSUW
      CRC32
      = SIMD_3A 652
      ROUNDPS
      ROUNDPD
      ROUNDSS
      ROUNDSD
      BLENDPS
      BLENDPD
      PBLENDW
      PALIGNR
      PEXTRB
      PEXTRD
      EXTRACTPS
      PINSRB
      INSERTPS
      PINSRD
      DPPS
      DPPD
      MPSADBW
      PCMPESTRM        MMM00M
      PCMPESTRI        MMM00M
      PCMPISTRM        MMM00M
      PCMPISTRI        MMM00M
      = AVX 704
      VZEROUPPER
      VZEROALL
      = AVX_PERMUTE 712
      VBROADCASTSS
      VBROADCASTSD
      VBROADCASTF128
      VBROADCASTI128
      VPBROADCASTB
      VPBROADCASTW
      VPBROADCASTD
      VPBROADCASTQ
      VPERMILPS
      VPERMILPD
      VPERMPS
      VPERMD
      VPERMQ
      VPERMPD
      VPERM2F128
      VPERM2I128
      VINSERTF128
      VINSERTI128
      VEXTRACTF128
      VEXTRACTI128
      VPBLENDD
      VPSRLVD
      VPSRLVQ
      VPSRAVD
      VPSLLVD
      VPSLLVQ
      VTESTPS          00M00M
      VTESTPD          00M00M
      = AVX_MASKED 744
      VMASKMOVPS
      VMASKMOVPD
      VPMASKMOVD
      VPMASKMOVQ
      VPGATHERDD
      VPGATHERDQ
      VPGATHERQD
      VPGATHERQQ
      VGATHERDPS
      VGATHERDPD
      VGATHERQPS
      VGATHERQPD
      = F16C 760
      VCVTPH2PS
      VCVTPS2PH
      = FMA 768
      VFMADDSUB132PS
      VFMADDSUB132PD
      VFMSUBADD132PS
      VFMSUBADD132PD
      VFMADD132PS
      VFMADD132PD
      VFMADD132SS
      VFMADD132SD
      VFMSUB132PS
      VFMSUB132PD
      VFMSUB132SS
      VFMSUB132SD
      VFNMADD132PS
      VFNMADD132PD
      VFNMADD132SS
      VFNMADD132SD
      VFNMSUB132PS
      VFNMSUB132PD
      VFNMSUB132SS
      VFNMSUB132SD
      VFMADDSUB213PS
      VFMADDSUB213PD
      VFMSUBADD213PS
      VFMSUBADD213PD
      VFMADD213PS
      VFMADD213PD
      VFMADD213SS
      VFMADD213SD
      VFMSUB213PS
      VFMSUB213PD
      VFMSUB213SS
      VFMSUB213SD
      VFNMADD213PS
      VFNMADD213PD
      VFNMADD213SS
      VFNMADD213SD
      VFNMSUB213PS
      VFNMSUB213PD
      VFNMSUB213SS
      VFNMSUB213SD
      VFMADDSUB231PS
      VFMADDSUB231PD
      VFMSUBADD231PS
      VFMSUBADD231PD
      VFMADD231PS
      VFMADD231PD
      VFMADD231SS
      VFMADD231SD
      VFMSUB231PS
      VFMSUB231PD
      VFMSUB231SS
      VFMSUB231SD
      VFNMADD231PS
      VFNMADD231PD
      VFNMADD231SS
      VFNMADD231SD
      VFNMSUB231PS
      VFNMSUB231PD
      VFNMSUB231SS
      VFNMSUB231SD
      """;

  private static final int[] ORDER = {
    Flags.OF, Flags.SF, Flags.ZF, Flags.AF, Flags.PF, Flags.CF, Flags.DF
  };

  /** More than the greatest number of a mnemonic. */
  static final int SIZE = 832;

  private static final String[] NAMES = new String[SIZE];
  private static final Executor[] EXECUTORS = new Executor[SIZE];
  private static final String[] FLAGS = new String[SIZE];
  private static final Map<String, Integer> NUMBERS = new HashMap<>(2 * SIZE);

  static {
    TableText text = new TableText(ROWS);
    Executor executor = Executor.UNDEFINED;
    int number = 0;
    while (text.nextLine()) {
      String word = text.requiredWord();
      if (word.equals("=")) {
        executor = Executor.named(text.requiredWord());
        number = Integer.parseInt(text.requiredWord());
        continue;
      }
      if (NAMES[number] != null || NUMBERS.put(word, number) != null) {
        throw new IllegalStateException("twice in the table of mnemonics: " + word);
      }
      NAMES[number] = word;
      EXECUTORS[number] = executor;
      String flags = text.word();
      FLAGS[number] = flags == null ? "" : flags;
      number++;
    }
  }

  private MnemonicTable() {}

  /** The number of a mnemonic. */
  static int number(String name) {
    Integer number = NUMBERS.get(name);
    if (number == null) {
      throw new IllegalStateException("not in the table of mnemonics: " + name);
    }
    return number;
  }

  /** The name of a mnemonic, or null if no mnemonic has the number. */
  static @Nullable String name(int mnemonic) {
    return NAMES[mnemonic];
  }

  static Executor executor(int mnemonic) {
    return EXECUTORS[mnemonic];
  }

  /** What it does to the flags, as a word of letters. */
  static String flags(int mnemonic) {
    return FLAGS[mnemonic];
  }

  /** The flags, as bits of EFLAGS, whose letter in a word is one of some. */
  static int mask(String word, String letters) {
    int mask = 0;
    for (int i = 0; i < word.length(); i++) {
      if (letters.indexOf(word.charAt(i)) >= 0) {
        mask |= ORDER[i];
      }
    }
    return mask;
  }
}
