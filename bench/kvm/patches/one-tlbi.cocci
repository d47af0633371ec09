// Behind no-clean: one TLB invalidation for the whole VM, at the end of the unmap. Tables that the
// Places: 8
// unmap takes out are freed behind it, chained by their first entries, which are no valid ones.
@@
@@
 struct kvm_pgtable {
 	...
 	kvm_pgtable_force_pte_cb_t		force_pte_cb;
+	bool					reset;
+	kvm_pte_t				*unlinked;
 };

@@
@@
 stage2_unmap_walker(...)
 {
 	...
-	stage2_put_pte(ptep, mmu, addr, level, mm_ops);
+	if (pgt->reset) {
+		kvm_clear_pte(ptep);
+		mm_ops->put_page(ptep);
+	} else {
+		stage2_put_pte(ptep, mmu, addr, level, mm_ops);
+	}
 	...
-	if (childp)
-		mm_ops->put_page(childp);
+	if (childp && pgt->reset) {
+		WRITE_ONCE(*childp, (kvm_pte_t)pgt->unlinked);
+		pgt->unlinked = childp;
+	} else if (childp) {
+		mm_ops->put_page(childp);
+	}
 	...
 }

@@
expression start, end;
@@
 stage2_unmap_memslot(...)
 {
 	<...
-	stage2_apply_range_resched(kvm, start, end, stage2_reset_range)
+	stage2_apply_range(kvm, start, end, stage2_reset_range, false)
 	...>
 }

@@
@@
 stage2_reset_range(...)
 {
 	...
+	pgt->reset = true;
 	ret = kvm_pgtable_stage2_unmap(pgt, addr, size);
+	pgt->reset = false;
 	...
 }

@@
@@
+static void stage2_free_unlinked(struct kvm_pgtable *pgt)
+{
+	while (pgt->unlinked) {
+		kvm_pte_t *table = pgt->unlinked;
+
+		pgt->unlinked = (kvm_pte_t *)READ_ONCE(*table);
+		pgt->mm_ops->put_page(table);
+	}
+}
+
 void stage2_unmap_vm(struct kvm *kvm)
 {
 	...
+	/* mmu_lock was not given up since the first entry was cleared */
+	kvm_flush_remote_tlbs(kvm);
+	if (kvm->arch.mmu.pgt)
+		stage2_free_unlinked(kvm->arch.mmu.pgt);
 	write_unlock(&kvm->mmu_lock);
 	...
 }
