# Four vCPUs pass a token round by IPIs; the bootstrap processor starts the others at this same
# code. FS reaches the local APIC: its base is loaded in protected mode, and stays in its hidden part
# in real mode. Numbers at 0x600 on:
#   600 processors that are up   604 tokens passed      608 mix of who passed which
#   610 logical IPIs taken, by processor               620 NMIs taken, by processor
#   630 lowest-priority IPIs taken, by processor       640 IPIs to themselves taken, by processor
#   650 timer interrupts taken, by processor           660 work of the two that never halt
.code16
.intel_syntax noprefix
start:
  cli
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov ecx, 0x1B           # IA32_APIC_BASE: the bootstrap bit
  rdmsr
  and eax, 0x100
  mov esi, eax
  lgdt cs:[gdtr]
  mov eax, cr0
  or al, 1
  mov cr0, eax
  mov cx, 8
  mov fs, cx
  and al, 0xFE
  mov cr0, eax
  mov ebx, fs:[0x20]      # EBX: APIC id
  shr ebx, 24
  mov cx, bx
  shl cx, 9
  mov sp, 0x7000
  add sp, cx
  mov dword ptr fs:[0xF0], 0x1FF
  mov cl, bl
  mov eax, 0x1000000
  shl eax, cl
  mov fs:[0xD0], eax      # logical destination: bit of the id
  mov dword ptr fs:[0x3E0], 0xB
  mov dword ptr fs:[0x320], 0x20044
  mov eax, ebx
  imul eax, eax, 1000
  add eax, 7777
  mov fs:[0x380], eax     # a timer of its own period
  test esi, esi
  jz ready
  mov cx, 5               # vectors 40 to 44
  mov di, 0x100
  mov si, offset handlers
install:
  mov ax, cs:[si]
  mov [di], ax
  mov [di + 2], cs
  add si, 2
  add di, 4
  loop install
  mov word ptr [8], offset nmi
  mov [10], cs
  mov dword ptr fs:[0x300], 0xC4500   # INIT to all others
  mov dword ptr fs:[0x300], 0xC4610   # start-up at page 10
ready:
  lock inc dword ptr [0x600]
  test ebx, ebx
  jnz work
waiting:
  pause
  cmp dword ptr [0x600], 4
  jne waiting
  mov dword ptr fs:[0x310], 0x1000000
  mov dword ptr fs:[0x300], 0x4040    # the token goes to processor 1
work:
  sti
  cmp bl, 2
  jae busy
  hlt
  jmp work
busy:
  mov eax, ebx
  lock xadd [0x660], eax
  rol eax, 3
  xor [0x664], eax
  pause
  jmp busy

token:
  pushad
  call patched
  cmp al, [0x604]         # the last one has written its number into our code
  jne wrong
  mov eax, 1
  lock xadd [0x604], eax
  inc eax
  mov edi, eax            # EDI: number of the token
  xor eax, ebx
  add eax, [0x608]
  rol eax, 5
  mov [0x608], eax
  mov cs:[patched + 1], di            # also the NOP after it
  mov byte ptr cs:[patched + 2], 0x90
  mov al, bl
  add al, 65
  mov dx, 0x3F8
  out dx, al
  mov ecx, ebx
  inc ecx
  and ecx, 3
  shl ecx, 24             # ECX: the next one as a destination
  test edi, 3
  jnz no_self
  mov dword ptr fs:[0x300], 0x44043
no_self:
  test edi, 7
  jnz no_logical
  mov dword ptr fs:[0x310], 0xD000000
  mov dword ptr fs:[0x300], 0x4841    # to 0, 2 and 3
no_logical:
  test edi, 15
  jnz no_nmi
  mov fs:[0x310], ecx
  mov dword ptr fs:[0x300], 0x4400
no_nmi:
  test edi, 31
  jnz no_lowest
  mov dword ptr fs:[0x310], 0xF000000
  mov dword ptr fs:[0x300], 0x4942
no_lowest:
  mov dword ptr fs:[0xB0], 0
  mov fs:[0x310], ecx
  mov dword ptr fs:[0x300], 0x4040
  popad
  iret
wrong:
  mov al, 1
  out 0xF4, al
  hlt
patched:
  mov al, 0
  nop
  ret

logical:
  lock inc dword ptr [0x610 + ebx * 4]
  jmp end
lowest:
  lock inc dword ptr [0x630 + ebx * 4]
  jmp end
self:
  lock inc dword ptr [0x640 + ebx * 4]
  jmp end
timer:
  lock inc dword ptr [0x650 + ebx * 4]
end:
  mov dword ptr fs:[0xB0], 0
  iret
nmi:
  lock inc dword ptr [0x620 + ebx * 4]
  iret
handlers:
  .word token, logical, lowest, self, timer
gdtr:
  .word 15
  .long 0x10000 + gdt
gdt:
  .quad 0
  .quad 0xFE0092E00000FFFF      # base FEE00000, limit FFFF, data
